"""What a description says of a task: the columns of its data, how answers are graded, its demonstrations."""

from typing import Any, Literal, get_args

from pydantic import Field

from selfincorrect.sections import Section
from selfincorrect.sources.kinds import Source

Grade = Literal[
    "aliases", "exact", "number", "choice", "regex", "math", "code", "program", "judge", "similarity",
    "puzzle", "instructions",
]  # fmt: skip
GRADES: tuple[str, ...] = get_args(Grade)


# What names columns of the data.
COLUMNS = ("question", "answer", "options", "labels", "tests", "setup", "entry", "wrong", "level", "identity")


class Remarked(Section):
    """A wrong answer and, for variants with reasons, what is wrong with it."""

    text: str
    remark: str = "is wrong."


class Shown(Section):
    """A solved example: a question, its answer, and wrong answers to choose among."""

    question: str = Field(description="A question that is none of the file's.")
    answer: str = Field(description="Its right answer, as a model should write it.")
    remark: str = Field("is right.", description="What is right about it, for variants with reasons.")
    wrong: list[str | Remarked] = Field(
        min_length=1, description="Wrong answers, as a model might write them; `{text: …, remark: …}` also."
    )

    def template(self) -> dict[str, Any]:
        """The example as a file of prompts has it."""
        wrong = [Remarked(text=each) if isinstance(each, str) else each for each in self.wrong]
        return {
            "question": self.question,
            "right": {"text": self.answer, "remark": self.remark},
            "wrong": [each.model_dump() for each in wrong],
        }


class Definition(Section):
    """A task without code of its own. Columns are names, `a.b` where they hold mappings; a question may be a
    text with columns in braces.
    """

    question: str
    answer: str | list[str]
    grade: Grade = "aliases"
    options: str | list[str] | None = None
    labels: str | None = None
    letters: bool = True
    shuffle: bool = False
    pattern: str | None = None
    tests: str | list[str] | None = None
    setup: str | None = None
    entry: str | None = None
    wrong: str | list[str] | None = None
    level: str | None = None
    level_pattern: str | None = None
    identity: str | None = None
    instruction: str | None = None
    demonstrations: list[Shown] = Field(default_factory=list)
    shots: int | None = None
    execute: bool = False
    held_out: list[str] = Field(default_factory=list)


class Ready(Definition):
    """A task of this package that a file describes: what it is, and where its data comes from.

    Rows that hold a mapping called `within` are that mapping; questions whose identity is in `leave_out` are
    none, as their own answer cannot be graded right; `examples` names a file of demonstrations that
    tasks share.
    """

    within: str | None = None
    about: str
    paper: str
    sources: dict[str, Source]
    leave_out: list[str] = Field(default_factory=list)
    answer_tokens: int | None = None
    examples: str | None = None
