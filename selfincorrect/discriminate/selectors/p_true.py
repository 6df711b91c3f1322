"""`p_true`: how probable it is, to the model, that a candidate is true, each alone (Kadavath et al. 2022)."""

from collections.abc import Sequence
from math import fsum
from random import Random
from typing import Any

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import Asked, Part, Preference
from selfincorrect.discriminate.label_scores import concluded, label_probabilities, mean_range, spelled
from selfincorrect.discriminate.selectors.base import Alone, Reasons
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.templates import Reply, replies

LABELS = ("A", "B")  # of the two statements, true first unless they are turned
TRUE_FIRST, TURNED = 0, 1


class PTrue(Alone):
    probabilities, scoring = True, True
    options = Alone.options | {"context"}

    def reply(self, view: View) -> Reply:
        return replies().p_true

    def scored(self, view: View) -> tuple[str, ...]:
        return spelled(LABELS)

    def count(self, k: int) -> int:
        return 2 * k

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        return [Part((slot,), form) for slot in range(len(texts)) for form in (TRUE_FIRST, TURNED)]

    def listed(self, view: View, shown: Sequence[str], part: Part) -> str:
        words = view.words()
        statements = replies().statements[:: -1 if part.form == TURNED else 1]
        lines = [super().listed(view, shown, part)]
        lines += [f"({label}) {each.format(**words)}" for label, each in zip(LABELS, statements, strict=True)]
        if view.variant.context == "all":
            lines = [replies().context.format(**words), *(f"- {text}" for text in shown), *lines]
        return "\n".join(lines)

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        """One answer and whether it is true.

        Of two that follow each other one is right, first or second by seed, and their labels differ; the
        next two are turned.
        """
        pair, second = divmod(index, 2)
        right_first = Random(seed_of("p_true", view.settings.seed, pair)).random() < 0.5
        right, turned = right_first != bool(second), bool(pair % 2)
        place = position if right else (position + 1) % view.k
        label = LABELS[right == turned]
        return Part((place,), int(turned)), self.reply(view).response.format(label=label)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """p(True) / (p(True) + p(False)) of each candidate, the mean over both assignments of the labels."""
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        found = [label_probabilities(response, LABELS) for response in responses]
        [shown] = asked.shown
        told: dict[int, list[float]] = {}
        ranges: dict[int, list[tuple[float, float]]] = {}
        for part, each in zip(shown.parts, found, strict=True):
            sample, true = shown.order[part.slots[0]], part.form
            ranges.setdefault(sample, []).append(each.range_of(true))
            if each.shares:
                told.setdefault(sample, []).append(each.shares[true] or 0.0)
        scores = {sample: fsum(each) / len(each) for sample, each in told.items()}
        return concluded(asked, scores, {sample: mean_range(each) for sample, each in ranges.items()}, found)


SELECTOR = PTrue()
