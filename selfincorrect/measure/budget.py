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


def front(costs: Sequence[float], scores: Sequence[float]) -> list[bool]:
    """Whether each point is on the Pareto front: none takes less, or as much, and scores higher."""
    found, best = [False] * len(costs), -np.inf
    for place in sorted(range(len(costs)), key=lambda each: (costs[each], -scores[each])):
        if scores[place] > best and not np.isnan(costs[place]):
            found[place], best = True, scores[place]
    return found


def overtakes(costs: Array, scores: Array, other_costs: Array, other_scores: Array) -> Array:
    """The smallest cost from which on a way scores more than another does for at most as much, [draws]; inf
    where that is not within what the other was seen with.

    `costs` and `scores` are [draws, many], those of the other way too, its costs ascending. At each cost the
    other is given as many of the candidates that it can have for it as score most: fewer may be better.
    """
    other_scores = np.maximum.accumulate(other_scores, axis=1)
    affordable = (other_costs[:, None, :] <= costs[:, :, None] + TINY).sum(axis=2) - 1
    beaten = np.take_along_axis(other_scores, np.maximum(affordable, 0), axis=1)
    comparable = (affordable >= 0) & (costs <= other_costs[:, -1:] + TINY)
    ahead = (scores > beaten + TINY) | ~comparable
    # From there on: no comparable point behind it is not ahead.
    after = np.logical_and.accumulate(ahead[:, ::-1], axis=1)[:, ::-1] & comparable
    first = after.argmax(axis=1)
    return np.where(after.any(axis=1), np.take_along_axis(costs, first[:, None], axis=1)[:, 0], np.inf)
