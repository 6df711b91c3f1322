"""Answers that a regular expression of the task's finds."""

import re
from collections.abc import Sequence

from selfincorrect.engines import thoughts
from selfincorrect.tasks import gsm8k
from selfincorrect.tasks.answers.base import Kind


class Regex(Kind):
    prompts = "worked"
    tokens = 256

    def trim(self, text: str) -> str:
        return gsm8k.trim(text)

    def final(self, text: str) -> str:
        return self.extract(text) or ""

    def extract(self, text: str) -> str | None:
        found = re.findall(self.told.pattern or "", thoughts.answer(text) or "")
        last = found[-1] if found else None
        return (last if isinstance(last, str) else "".join(last)).strip() or None if last else None

    def accepted(self, references: Sequence[str]) -> set[str]:
        return {each.strip() for each in references} - {""}
