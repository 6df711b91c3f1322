"""A kind of answer: what it is asked for with, how it is read, and when it is right."""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from selfincorrect.tasks import aliases
from selfincorrect.tasks.base import Judge, Question, answer_elsewhere
from selfincorrect.tasks.definition import Definition


class Kind:
    """Short answers on one line; the base of all kinds.

    `prompts` names the prompts of `described.yaml`, `tokens` is the longest answer, `numbers` how numbers are
    found in questions (None: they are not about numbers), `executes` says whether grading runs what a model
    wrote, `tells` whether `why` says what is wrong.
    """

    prompts: ClassVar[str] = "short"
    tokens: ClassVar[int] = 32
    numbers: ClassVar[re.Pattern[str] | None] = None
    judges: ClassVar[dict[str, Judge]] = {}
    executes: ClassVar[bool] = False
    tells: ClassVar[bool] = False

    def __init__(self, told: Definition) -> None:
        self.told = told

    def hindrance(self) -> str | None:
        """What is missing on this machine for grading such answers, and what to do; None where nothing is."""
        return None

    def reference(self, text: str) -> str | None:
        """An accepted answer of the data, as it is kept; None if it is none of this kind."""
        return text

    def written(self, reference: str) -> str:
        """An accepted answer as a model is to write it."""
        return reference

    def tests(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row of the data holds that answers are held against beside `references`; kept as details."""
        return {}

    def trim(self, text: str) -> str:
        """The part of an output that is the answer."""
        return aliases.first_line(text)

    def final(self, text: str) -> str:
        """The final answer alone, "" if there is none."""
        return self.trim(text)

    def extract(self, text: str) -> str | None:
        """The normal form of an answer, None if there is none."""
        return " ".join(self.trim(text).split()) or None

    def accepted(self, references: Sequence[str]) -> set[str]:
        """The normal forms of the accepted answers."""
        return {form for each in references if (form := self.extract(each))}

    def grade(self, extracted: str | None, question: Question) -> float:
        """1.0 if the normal form is that of an accepted answer, else 0.0."""
        return float(extracted is not None and extracted in self.accepted(question.references))

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        """An obviously wrong answer: the right one to another question, which is wrong for this one."""
        grading = (self.extract, self.grade)
        return answer_elsewhere(question, others, draw, lambda other: other.references[0], grading)

    def why(self, extracted: str | None, question: Question) -> str | None:
        """Why an answer is wrong, where that can be told; None where it is right or cannot."""
        return None
