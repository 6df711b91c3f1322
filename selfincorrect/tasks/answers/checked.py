"""Answers that a checker goes through, which says what is wrong with them."""

from collections.abc import Sequence
from random import Random

from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.base import Question, another


class Checked(Kind):
    """Right if `why` finds nothing wrong; an obviously wrong answer is the one to another question."""

    tells = True

    def grade(self, extracted: str | None, question: Question) -> float:
        """1.0 if nothing is wrong with the answer, else 0.0."""
        return float(extracted is not None and self.why(extracted, question) is None)

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        return self.written(another(question, others, draw).references[0])
