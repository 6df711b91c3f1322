"""Scores against what they take: bands, the front, and where one way overtakes another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfincorrect.measure.intervals import LEVEL, Array

DRAWS = 2_000  # resamples of the questions
TINY = 1e-9


class Resampled(NamedTuple):
    """How often each cluster is in each resample, [DRAWS, clusters], and the cluster of each item."""

    weights: Array
    inverse: NDArray[np.int64]

    def means(self, values: Array) -> Array:
        """The mean of `values` [items, …] in each resample, [DRAWS, …]."""
        count = self.weights.shape[1]
        sums = np.zeros((count, *values.shape[1:]))
        np.add.at(sums, self.inverse, values)
        items = np.bincount(self.inverse, minlength=count).astype(float)
        return np.asarray(np.tensordot(self.weights, sums, 1) / (self.weights @ items)[:, None])


def resampled(clusters: NDArray[Any], seed: int) -> Resampled:
    """Seeded resamples of clusters, drawn with replacement."""
    _, inverse = np.unique(clusters, return_inverse=True)
    count = int(inverse.max()) + 1
    rng = np.random.default_rng([seed, count])
    weights = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return Resampled(weights.astype(float), inverse)


def band(means: Array) -> tuple[Array, Array]:
    """The 95 % percentile interval of resampled means [DRAWS, many]; nan where they do not differ."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    same = high - low < TINY
    return np.where(same, np.nan, low), np.where(same, np.nan, high)


def front(costs: Sequence[float | None], scores: Sequence[float]) -> list[bool]:
    """Whether each point is on the Pareto front: no other takes as little and scores as much; of points that
    are equal the first is on it. Points whose cost is not known are not.
    """
    found, best = [False] * len(costs), -np.inf
    known = [(cost, -scores[place], place) for place, cost in enumerate(costs) if cost is not None]
    for _, less, place in sorted(known):
        if -less > best + TINY:
            found[place], best = True, -less
    return found


def overtakes(costs: Array, scores: Array, other_costs: Array, other_scores: Array) -> Array:
    """The smallest budget from which on a way scores more than another, [draws]; inf where that is not within
    what the other was seen with.

    `costs` and `scores` are [draws, many], those of the other way too. Budgets are the costs of both, up to
    the other's largest. For each both get as many of the candidates that they can have for it as score most:
    fewer may be better.
    """
    budgets = np.sort(np.concatenate([costs, other_costs], axis=1), axis=1)
    mine, theirs = _affordable(costs, scores, budgets), _affordable(other_costs, other_scores, budgets)
    seen = np.isfinite(theirs) & (budgets <= other_costs.max(axis=1, keepdims=True))
    ahead = (mine > theirs + TINY) | ~seen
    # From there on: it is ahead at every budget that follows.
    after = np.logical_and.accumulate(ahead[:, ::-1], axis=1)[:, ::-1] & seen
    first = after.argmax(axis=1)
    return np.where(after.any(axis=1), np.take_along_axis(budgets, first[:, None], axis=1)[:, 0], np.inf)


def _affordable(costs: Array, scores: Array, budgets: Array) -> Array:
    """The highest of the scores that cost at most so much, [draws, budgets]; −inf where none does."""
    order = costs.argsort(axis=1, kind="stable")
    highest = np.maximum.accumulate(np.take_along_axis(scores, order, axis=1), axis=1)
    count = (costs[:, None, :] <= budgets[:, :, None] * (1 + TINY)).sum(axis=2)
    return np.where(count > 0, np.take_along_axis(highest, np.maximum(count - 1, 0), axis=1), -np.inf)
