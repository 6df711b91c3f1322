"""`pairwise`: two candidates are compared at a time, in both orders, each with each (round robin)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import fsum
from typing import Any

from selfincorrect.discriminate.asked import Asked, Part, Preference
from selfincorrect.discriminate.label_scores import concluded, label_probabilities, mean_range, spelled
from selfincorrect.discriminate.selectors.choose import Labelled
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.variant import Variant

RIDGE = (
    0.01  # λ of Bradley and Terry's strengths: without it those of a candidate that always wins are infinite
)

Pair = tuple[int, int]  # samples
Range = tuple[float, float]


class Pairwise(Labelled):
    listing, scoring, why = True, True, "two are shown at a time, in both orders"
    options = Labelled.options - {"order", "orders"} | {"aggregate"}

    def calls(self, variant: Variant, k: int) -> int:
        return k * (k - 1)

    def labelled(self, k: int, count: int) -> int:
        return 2

    def parts(self, count: int) -> list[Part]:
        return [Part((one, other)) for one in range(count) for other in range(count) if one != other]

    def scored(self, view: View) -> tuple[str, ...]:
        return spelled(view.labels)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The mean of p_ij over the others, p_ij = (p(A | i, j) + 1 − p(A | j, i)) / 2; or their strengths.

        A comparison that cannot be read is left out.
        """
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(unanswered[0]))
        [shown], labels = asked.shown, view.showing(2).labels
        found = [label_probabilities(response, labels) for response in responses]
        first: dict[Pair, float] = {}
        ranges: dict[Pair, Range] = {}
        for part, each in zip(shown.parts, found, strict=True):
            one, other = (shown.order[slot] for slot in part.slots)
            ranges[one, other] = each.range_of(0)
            if each.shares:
                first[one, other] = each.shares[0] or 0.0
        wins = {(i, j): (share + 1 - first[j, i]) / 2 for (i, j), share in first.items() if (j, i) in first}
        scores = {
            sample: fsum(values) / len(values)
            for sample in shown.order
            if (values := [win for (one, _), win in wins.items() if one == sample])
        }
        made = concluded(asked, scores, {sample: _span(sample, ranges) for sample in shown.order}, found)
        if view.variant.aggregate == "bradley_terry":  # bounds are judged by the mean
            stronger = asked.preference(strengths(wins), None, made.how)
            return replace(made, scores=stronger.scores)
        return made


def _span(sample: int, ranges: Mapping[Pair, Range]) -> Range:
    own = [
        ((low + 1 - ranges[j, i][1]) / 2, (high + 1 - ranges[j, i][0]) / 2)
        for (i, j), (low, high) in ranges.items()
        if i == sample
    ]
    return mean_range(own)


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
