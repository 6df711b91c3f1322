"""`label_probability`: how probable each label is as the model's answer, by one reading an order.

Zheng et al. 2024, "Large Language Models Are Not Robust Multiple Choice Selectors" (arXiv 2309.03882), also
for PriDe: the prior of the labels, whatever they stand for, is divided out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, exp, fsum, log
from random import Random

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import Asked, Preference, Reading, best_of
from selfincorrect.discriminate.label_scores import (
    Probabilities,
    concluded,
    ended,
    label_probabilities,
    mean_range,
    spelled,
)
from selfincorrect.discriminate.selectors.base import Orders
from selfincorrect.discriminate.selectors.choose import Labelled
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.variant import Variant

SHARE, FEWEST = 0.05, 20  # of the questions asked: those that the prior is measured on
SMALLEST = 1e-12  # of a probability whose logarithm is taken

Prior = Mapping[int, Sequence[float]]  # by number of labels, for each slot


class LabelProbability(Labelled):
    slots, probabilities, scoring, default_orders = True, True, True, "rotations"
    options = Labelled.options | {"calibrate"}
    why = "labels alone are scored"

    def probable(self, variant: Variant) -> bool:
        return variant.calibrate is None

    def scored(self, view: View) -> tuple[str, ...]:
        return spelled(view.labels)

    def ended(self, view: View) -> tuple[str, ...]:
        return ended(view.labels)

    def orders(self, view: View, samples: Mapping[str, Sequence[int]]) -> Orders:
        """All rotations of the questions that the prior is measured on, one order of the others."""
        found = super().orders(view, samples)
        if view.variant.calibrate is None:
            return found
        names = sorted(samples)
        Random(seed_of("prior", view.settings.seed, view.k)).shuffle(names)
        count = max(ceil(SHARE * len(names)), FEWEST)
        return {name: each if name in names[:count] else each[:1] for name, each in found.items()}

    def teaches(self, view: View, asked: Asked) -> bool:
        """Whether all rotations are shown, on which the prior is measured."""
        several = view.variant.calibrate is not None and len(asked.shown) > 1
        return several and len(asked.shown) == len(asked.shown[0].order)

    def learn(self, view: View, asked: Sequence[Asked], responses: Sequence[Sequence[Response]]) -> Prior:
        """The prior π̄ of each slot: the mean over questions of softmax_j(mean_r ln o_r(j))."""
        if view.variant.calibrate is None:
            return {}
        found: dict[int, list[list[float]]] = {}
        for each, answers in zip(asked, responses, strict=True):
            if not self.teaches(view, each):
                continue
            count = len(each.shown[0].order)
            shares = [self._probabilities(view, count, answer).shares for answer in answers]
            if any(share is None for share in shares):
                continue
            logs = [[_log(p) for p in share or ()] for share in shares]
            found.setdefault(count, []).append(_softmax(_means(logs)))
        return {count: _means(rows) for count, rows in found.items()}

    def read(
        self, view: View, asked: Asked, responses: Sequence[Response], learnt: Prior | None = None
    ) -> Preference:
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        count, orders = len(asked.shown[0].order), len(asked.shown)
        found = [self._probabilities(view, count, response) for response in responses]
        told: dict[int, list[float]] = {}
        ranges: dict[int, list[tuple[float, float]]] = {}
        for shown, each in zip(asked.shown, found, strict=True):
            shares: Sequence[float | None] = each.shares or [None] * count
            for slot, (sample, share) in enumerate(zip(shown.order, shares, strict=True)):
                ranges.setdefault(sample, []).append(each.range_of(slot))
                if share is not None:
                    told.setdefault(sample, []).append(share)
        scores = {sample: fsum(each) / orders for sample, each in told.items()}
        spans = {sample: mean_range(each) for sample, each in ranges.items()}
        prior = (learnt or {}).get(count)
        if prior is not None and orders == 1:
            place = {sample: slot for slot, sample in enumerate(asked.shown[0].order)}
            scores = {sample: _log(score) - _log(prior[place[sample]]) for sample, score in scores.items()}
            spans = {
                sample: (_log(low) - _log(prior[place[sample]]), _log(high) - _log(prior[place[sample]]))
                for sample, (low, high) in spans.items()
            }
        picks = tuple(_pick(shown.order, each.shares) for shown, each in zip(asked.shown, found, strict=True))
        readings = tuple(
            Reading(shown.order, tuple(share or 0.0 for share in each.shares))
            for shown, each in zip(asked.shown, found, strict=True)
            if each.shares
        )
        made = concluded(asked, scores, spans, found)
        return replace(made, picks=picks if orders > 1 else (), readings=readings)

    def _probabilities(self, view: View, count: int, response: Response) -> Probabilities:
        return label_probabilities(response, view.showing(count).labels)


def _pick(order: Sequence[int], shares: Sequence[float | None] | None) -> int | None:
    best = best_of(shares or ())
    return order[best[0]] if len(best) == 1 else None


def _log(probability: float | None) -> float:
    return log(max(probability or 0.0, SMALLEST))


def _means(rows: Sequence[Sequence[float]]) -> list[float]:
    return [fsum(each) / len(each) for each in zip(*rows, strict=True)]


def _softmax(logs: Sequence[float]) -> list[float]:
    top = max(logs)
    weights = [exp(each - top) for each in logs]
    return [weight / fsum(weights) for weight in weights]


SELECTOR = LabelProbability()
