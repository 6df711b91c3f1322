"""`backward`: a number of the question is hidden, and found again where the answer that is given is right.

Jiang et al. 2024, "Forward-Backward Reasoning in Large Language Models" (arXiv 2308.07758).
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import Asked, Part, Preference
from selfincorrect.discriminate.parse import How
from selfincorrect.discriminate.selectors.base import Alone, Reasons
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import NO_ANSWER, View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question, numbers_of
from selfincorrect.tasks.templates import Reply, replies
from selfincorrect.tasks.variant import Variant

HIDDEN = "____"
MASKS, DRAWS = 3, 2


class Backward(Alone):
    final, numeric = True, True
    options = Alone.options - {"candidates", "distractors"} | {"masks", "draws"}
    why = "the final answer is given, and a number of the question is asked for"

    def calls(self, variant: Variant, k: int) -> int:
        return k * _masks(variant) * self.samples(variant)

    def samples(self, variant: Variant) -> int:
        return variant.draws or DRAWS

    def rationale(self, view: View) -> bool:
        return True

    def reply(self, view: View) -> Reply:
        return replies().backward

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        """Each candidate with each hidden number; none for one without a final answer."""
        masks = range(len(_hidden(question.question, view)))
        slots = [slot for slot, text in enumerate(texts) if text != NO_ANSWER]
        return [Part((slot,), mask) for slot in slots for mask in masks]

    def question(self, view: View, text: str, form: int) -> str:
        start, end = _hidden(text, view)[form]
        return text[:start] + HIDDEN + text[end:]

    def listed(self, view: View, shown: Sequence[str], part: Part) -> str:
        return replies().given.format(text=shown[part.slots[0]])

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        """The right answer, the steps that lead to it, and the number that was hidden."""
        demonstration = view.prompts.demonstrations[index]
        start, end = _hidden(demonstration.question, view)[0]
        steps = demonstration.right.text.rsplit("\n", 1)[0]
        label = demonstration.question[start:end]
        return Part((position,)), self.reply(view).response.format(reasons=steps, label=label)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The share of outputs about each candidate that name the hidden number; one without it is a miss."""
        unanswered = [response for response in responses if response.text is None]
        if unanswered:
            return asked.unread(missing(*unanswered))
        [shown] = asked.shown
        numbers = [
            view.task.extract(asked.question.question[start:end])
            for start, end in _hidden(asked.question.question, view)
        ]
        hits: dict[int, list[float]] = {}
        for part, response in zip(shown.parts, responses, strict=True):
            found = view.task.extract(response.text or "")
            hit = found is not None and found == numbers[part.form]
            hits.setdefault(shown.order[part.slots[0]], []).append(float(hit))
        scores = {sample: sum(each) / len(each) for sample, each in hits.items()}
        told = " ".join(f"{sum(hits.get(s, [])):.0f}/{len(hits.get(s, []))}" for s in shown.order)
        how: How = "strict" if scores else "none"
        return asked.preference(scores, told, how)


def _masks(variant: Variant) -> int:
    return variant.masks or MASKS


def _hidden(text: str, view: View) -> list[tuple[int, int]]:
    """Where the numbers are of which one is hidden at a time: a seeded draw, in the text's order."""
    pattern = numbers_of(view.task)
    spans = [match.span() for match in pattern.finditer(text)] if pattern else []
    draw = Random(seed_of("backward", view.settings.seed, text))
    return sorted(draw.sample(spans, min(_masks(view.variant), len(spans))))


SELECTOR = Backward()
