"""What a variant shows of the candidates of a task, and what it calls them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from selfincorrect.sections import StageSettings
from selfincorrect.tasks.base import Question, Task
from selfincorrect.tasks.templates import DiscriminateTemplate, TaskPrompts
from selfincorrect.tasks.variant import Variant

NO_ANSWER = "(no answer)"  # what is shown of a candidate without a text


class Drawing(StageSettings):
    """How outputs are drawn, where a variant draws several."""

    temperature: float
    top_p: float


class AskingSettings(StageSettings):
    """What stages that ask are told of a task.

    These are its `shots` and the longest outputs in tokens: of a choice with its reasons, and of an answer to
    one turn; and how outputs are drawn, where they are.
    """

    seed: int
    shots: int
    choice_tokens: int
    answer_tokens: int
    drawing: Drawing | None = None


@dataclass(frozen=True)
class View:
    """How the candidates of one task are shown in one variant, k at a time, and what is asked.

    `others` are all questions of the data, asked or not, so that easy distractors do not depend on which are
    asked.
    """

    task: Task
    prompts: TaskPrompts
    variant: Variant
    k: int
    others: Sequence[Question]
    settings: AskingSettings

    def showing(self, count: int) -> "View":
        """The same, with so many candidates shown at a time."""
        return self if count == self.k else replace(self, k=count)

    @property
    def shown_as(self) -> str:
        return self.prompts.shown_as(self.variant)

    @property
    def template(self) -> DiscriminateTemplate:
        return self.prompts.discriminate[self.shown_as]

    @property
    def labels(self) -> list[str]:
        """The k labels: 1, 2, … or A, B, … ."""
        letters = self.variant.labels == "letters"
        return list(ascii_uppercase[: self.k]) if letters else [str(i + 1) for i in range(self.k)]

    def labelled(self, shown: Sequence[str]) -> list[str]:
        """The candidates with their labels."""
        pairs = zip(self.labels, shown, strict=True)
        return [self.template.candidate.format(label=label, text=text) for label, text in pairs]

    def words(self) -> dict[str, str]:
        """The words by which templates call things."""
        kind, noun = "letter" if self.labels[0] == "A" else "number", self.template.noun
        shown = f"{self.labels[0]} to {self.labels[-1]}"
        return {
            "k": str(self.k),
            "kind": kind,
            "Kind": kind.capitalize(),
            "labels": shown,
            "noun": noun,
            "Noun": noun.capitalize(),
            "check": self.template.check,
            "aim": self.prompts.aim,
        }
