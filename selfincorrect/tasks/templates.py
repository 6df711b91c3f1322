"""The prompt files of tasks, and what all of them share: templates and demonstrations."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from selfincorrect.tasks.registry import get_task, prompt_file
from selfincorrect.tasks.variant import Variant


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GenerateTemplate(_Data):
    """`follow_up` is the query of a conversation's later turns."""

    instruction: str
    query: str
    follow_up: str | None = None
    stop: tuple[str, ...]


class DiscriminateTemplate(_Data):
    """One way to show candidates, whatever reply is asked for."""

    noun: str = Field(description="What a candidate is called: answer, solution, …")
    wordings: tuple[str, str, str] = Field(
        description="How the task is put, in three wordings; the first is the default."
    )
    query: str
    candidate: str
    check: str = Field(description="How reasons are asked for.")
    reasons: Literal["remarks", "working"] = Field(
        "remarks",
        description="What reasons are in demonstrations: a remark on each candidate, or the right solution.",
    )
    rationale: bool = Field(False, description="Whether reasons are asked for by default.")
    lines: bool = Field(False, description="Whether candidates may have several lines.")
    opens: str = Field(
        description="How another question would begin: an output of several lines is cut there."
    )


class Reply(_Data):
    """How a model is to reply; `ending` is how the instructed output ends."""

    instruction: str
    cue: str
    response: str
    ending: str


class Step(_Data):
    """One step of self-refinement."""

    instruction: str
    query: str
    response: str


class Replies(_Data):
    """What all tasks share: the forms of reply, and the prompts of self-refinement."""

    remark: str
    easy_remark: str = Field(description="Remark on an easy distractor, in demonstrations.")
    label: Reply
    text: Reply
    reasoned_label: Reply
    reasoned_text: Reply
    score: Reply
    p_true: Reply
    statements: tuple[str, str] = Field(description="What `p_true` puts before a model: true, false.")
    alone: str = Field(description="What is said of one answer alone, with its remark.")
    verify: Reply
    context: str = Field(description="What all candidates are called, listed before the one in question.")
    backward: Reply
    given: str = Field(description="How `backward` gives the final answer.")
    framings: dict[str, str] = Field(description="What is said of who wrote the candidates, by framing.")
    consistency: Reply
    feedback: Step
    refine: Step

    def of(self, rationale: bool, answer: str) -> Reply:
        """The reply with or without reasons that gives the candidate's "label" or its "text"."""
        reply: Reply = getattr(self, f"reasoned_{answer}" if rationale else answer)
        return reply


class DemonstrationAnswer(_Data):
    """An answer and a remark on it that goes on after "Answer 2 …"; `follow_up` answers a conversation's
    second turn.
    """

    text: str
    follow_up: str | None = None
    remark: str = ""

    def turns(self) -> list[str]:
        return [self.text] if self.follow_up is None else [self.text, self.follow_up]


class Demonstration(_Data):
    question: str
    follow_up: str | None = None
    right: DemonstrationAnswer
    wrong: tuple[DemonstrationAnswer, ...] = Field(min_length=1)

    def turns(self) -> list[str]:
        return [self.question] if self.follow_up is None else [self.question, self.follow_up]


class TaskPrompts(_Data):
    """The prompt file of a task.

    `aim` says what a good answer is, where it is shown without the request for one. `discriminate` has a
    template for each way to show candidates, default first.
    """

    aim: str
    generate: GenerateTemplate
    discriminate: dict[str, DiscriminateTemplate] = Field(min_length=1)
    demonstrations: tuple[Demonstration, ...]

    def shown_as(self, variant: Variant) -> str:
        """How a variant shows candidates, a key of `discriminate`: easy distractors are final answers
        where a task has them.
        """
        if variant.candidates is not None:
            return str(variant.candidates)
        first = next(iter(self.discriminate))
        return "final" if variant.distractors == "easy" and "final" in self.discriminate else first

    def rationale(self, variant: Variant) -> bool:
        """Whether a variant asks for reasons."""
        asked = variant.rationale
        return self.discriminate[self.shown_as(variant)].rationale if asked is None else bool(asked)

    def data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def conversation(turns: list[str]) -> str:
    """The turns of one side of a conversation as one text; a single turn stands as it is."""
    if len(turns) == 1:
        return turns[0]
    return "\n".join(f"Turn {number}: {text}" for number, text in enumerate(turns, start=1))


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def task_prompts(task: str) -> TaskPrompts:
    """The prompts of the task called `task`."""
    described = getattr(get_task(task), "prompts", None)
    return TaskPrompts.model_validate(described()) if described else _file_prompts(task)


@cache
def _file_prompts(task: str) -> TaskPrompts:
    return TaskPrompts.model_validate(_read(prompt_file(task)))


@cache
def replies() -> Replies:
    """The forms of reply that all tasks share."""
    return Replies.model_validate(_read(Path(__file__).with_name("replies.yaml")))
