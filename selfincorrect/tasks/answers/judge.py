"""Answers in free words that a model compares with an accepted one."""

import re
from collections.abc import Sequence
from typing import ClassVar

from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Response
from selfincorrect.tasks import truthfulqa
from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.base import Judge as Asked
from selfincorrect.tasks.base import Question

_VERDICT = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_ASKS = (
    "Somebody answered a question, and you are given the right answer. Say whether the answer given means "
    "the same: other words and further true details are fine, a missing or contradicting part is not."
)


def _prompt(turns: Sequence[Question], answers: Sequence[str]) -> Prompt:
    question = turns[-1]
    right = " / ".join(question.references)
    shown = f"Question: {question.question}\nRight answer: {right}\nAnswer given: {answers[-1]}"
    return Prompt(_ASKS, (), f"{shown}\nDoes it mean the same? Yes or no:")


def verdict(response: Response) -> float | None:
    """1.0 for the last "yes" of a judge's answer, 0.0 for "no"; None without either."""
    found = _VERDICT.findall(thoughts.answer(response.text or "") or "")
    return float(found[-1].lower() == "yes") if found else None


class Judge(Kind):
    """Right if the model that is configured as `judges: {judge: …}` says so."""

    prompts = "free"
    tokens = 128
    judges: ClassVar[dict[str, Asked]] = {"judge": Asked(_prompt, verdict, 8)}

    def trim(self, text: str) -> str:
        return (thoughts.answer(text) or "").strip()

    def extract(self, text: str) -> str | None:
        return truthfulqa.extract(self.trim(text).replace("\n", " "))
