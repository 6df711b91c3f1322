"""Answers that end in a number, compared as numbers."""

from collections.abc import Sequence
from random import Random

from selfincorrect.tasks import gsm8k
from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.base import Question


class Number(Kind):
    prompts = "worked"
    tokens = 256
    numbers = gsm8k.NUMBERS

    def reference(self, text: str) -> str | None:
        return gsm8k.number(text) or gsm8k.extract(text)

    def written(self, reference: str) -> str:
        return f"#### {reference}"

    def trim(self, text: str) -> str:
        return gsm8k.trim(text)

    def final(self, text: str) -> str:
        return self.extract(text) or ""

    def extract(self, text: str) -> str | None:
        return gsm8k.extract(text)

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        return gsm8k.simplify(extracted, question, others, draw)
