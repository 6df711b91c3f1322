"""`pairwise`: two candidates are compared at a time, in both orders: each with each, or by a schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import fsum
from typing import Any, TypeVar

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import Asked, Part, Preference, Reading, Shown
from selfincorrect.discriminate.label_scores import (
    TINY,
    Probabilities,
    concluded,
    label_probabilities,
    mean_range,
    spelled,
)
from selfincorrect.discriminate.schedules import Pair, bracket, following, most
from selfincorrect.discriminate.selectors.choose import Labelled
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.variant import Variant

RIDGE = (
    0.01  # λ of Bradley and Terry's strengths: without it those of a candidate that always wins are infinite
)

Range = tuple[float, float]
T = TypeVar("T")


class Pairwise(Labelled):
    listing, scoring, why = True, True, "two are shown at a time, in both orders"
    options = Labelled.options - {"order", "orders"} | {"aggregate", "schedule"}

    def compares(self, variant: Variant) -> bool:
        return variant.schedule == "round_robin" and variant.aggregate == "mean"

    def calls(self, variant: Variant, k: int) -> int:
        return most(variant.schedule, k)

    def labelled(self, k: int, count: int) -> int:
        return 2

    def parts(self, view: View, question: Question, texts: Sequence[str]) -> list[Part]:
        field = _field(view, question.question_id, texts)
        return _parts(following(view.variant.schedule, field, (), lambda *_: 0.5))

    def more(self, view: View, asked: Asked, responses: Sequence[Response]) -> list[Part]:
        if not asked.shown or any(each.options is None for each in responses):
            return []
        [shown], known = asked.shown, _Compared.of(view, asked.shown[0].parts, responses)
        field = _field(view, asked.question.question_id, shown.texts)
        return _parts(following(view.variant.schedule, field, known.made, known.chance))

    def scored(self, view: View) -> tuple[str, ...]:
        return spelled(view.labels)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The mean of p_ij over the others, p_ij = (p(A | i, j) + 1 − p(A | j, i)) / 2; or their strengths,
        or the rounds that each survives.

        A comparison that cannot be read is left out. Of a pair that a schedule shows in one order p_ij is of
        that order.
        """
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        [shown], schedule = asked.shown, view.variant.schedule
        known = _Compared.of(view, shown.parts, responses)
        wins = known.wins(both=schedule != "pivot")
        met = sorted({slot for pair in wins for slot in pair})
        scores: dict[int, float]
        if schedule == "knockout":
            rounds = bracket(_field(view, asked.question.question_id, shown.texts), known.made, known.chance)
            scores = {slot: float(rounds[slot]) for slot in met}
            ranges = {slot: (score, score) for slot, score in scores.items()}
        else:
            scores = {slot: _mean([p for (one, _), p in wins.items() if one == slot]) for slot in met}
            ranges = {slot: known.range_of(slot) for slot in range(len(shown.order))}
        made = concluded(asked, _of_samples(shown, scores), _of_samples(shown, ranges), known.found)
        if schedule == "knockout":
            made = replace(made, bounded=known.undecided)
        if view.variant.aggregate == "bradley_terry":  # bounds are judged by the mean
            stronger = asked.preference(_of_samples(shown, strengths(wins)), None, made.how)
            made = replace(made, scores=stronger.scores)
        return replace(made, readings=known.readings(shown.order))


@dataclass(frozen=True)
class _Compared:
    """The comparisons that were made, by slots, and what was found in each."""

    made: list[Pair]
    found: list[Probabilities]

    @classmethod
    def of(cls, view: View, parts: Sequence[Part], responses: Sequence[Response]) -> "_Compared":
        labels = view.showing(2).labels
        made = [(part.slots[0], part.slots[1]) for part in parts]
        return cls(made, [label_probabilities(response, labels) for response in responses])

    @cached_property
    def first(self) -> dict[Pair, float]:
        """The share of the one shown first in each comparison that can be read."""
        pairs = zip(self.made, self.found, strict=True)
        return {pair: each.shares[0] or 0.0 for pair, each in pairs if each.shares}

    def wins(self, both: bool) -> dict[Pair, float]:
        """p_ij of every pair, known in `both` orders or in one of them."""
        found = {}
        for one, other in {*self.first, *(pair[::-1] for pair in self.first)}:
            told = [self.first[pair] for pair in ((one, other),) if pair in self.first]
            told += [1 - self.first[pair] for pair in ((other, one),) if pair in self.first]
            if len(told) == 2 or not both:
                found[one, other] = _mean(told)
        return dict(sorted(found.items()))

    def chance(self, one: int, other: int) -> float:
        return self.wins(both=False).get((one, other), 0.5)

    def range_of(self, slot: int) -> Range:
        """The least and the largest mean of p_ij, for what is known as a bound alone."""
        spans = []
        for (one, other), each in zip(self.made, self.found, strict=True):
            low, high = each.range_of(0)
            spans += [(low, high)] if one == slot else [(1 - high, 1 - low)] if other == slot else []
        return mean_range(spans)

    @property
    def undecided(self) -> bool:
        """Whether it depends on a bound who is the better one of a pair."""
        spans = [each.range_of(0) for each in self.found]
        return any(low < 0.5 - TINY and high > 0.5 + TINY for low, high in spans)

    def readings(self, order: Sequence[int]) -> tuple[Reading, ...]:
        return tuple(
            Reading((order[one], order[other]), (share, 1 - share))
            for (one, other), share in self.first.items()
        )


def _field(view: View, question_id: str, texts: Sequence[str]) -> list[int]:
    """Slots in a seeded order that depends on what they show alone; as they are for a round robin."""
    slots = range(len(texts))
    if view.variant.schedule == "round_robin":
        return list(slots)
    return sorted(slots, key=lambda slot: seed_of("field", view.settings.seed, question_id, texts[slot]))


def _parts(pairs: Sequence[Pair]) -> list[Part]:
    return [Part(pair) for pair in pairs]


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _of_samples(shown: Shown, by_slot: Mapping[int, T]) -> dict[int, T]:
    return {shown.order[slot]: value for slot, value in by_slot.items()}


def strengths(wins: Mapping[Pair, float]) -> dict[int, float]:
    """Bradley and Terry's strength t of each: the maximum of the log-likelihood of `wins`, p of (i, j).

    It is Σ_{i<j} [p_ij ln σ(t_i − t_j) + (1 − p_ij) ln σ(t_j − t_i)] − λ|t|², with λ = RIDGE.
    """
    import numpy as np  # both are slow to import
    from scipy.optimize import minimize

    names = sorted({name for pair in wins for name in pair})
    place = {name: number for number, name in enumerate(names)}
    pairs = [(i, j) for i, j in wins if i < j]
    if not pairs:
        return {}
    one, other = (np.array([place[name] for name in side]) for side in zip(*pairs, strict=True))
    p = np.array([wins[pair] for pair in pairs])

    def loss(t: Any) -> tuple[float, Any]:
        apart = t[one] - t[other]
        slope = 1 / (1 + np.exp(-apart)) - p
        gradient = 2 * RIDGE * t
        np.add.at(gradient, one, slope)
        np.add.at(gradient, other, -slope)
        value = (np.logaddexp(0, -apart) * p + np.logaddexp(0, apart) * (1 - p)).sum()
        return float(value + RIDGE * (t**2).sum()), gradient

    found = minimize(loss, np.zeros(len(names)), jac=True, method="BFGS", options={"gtol": 1e-9})
    return {name: round(float(t), 6) for name, t in zip(names, found.x, strict=True)}


SELECTOR = Pairwise()
