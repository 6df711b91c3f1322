"""Pools and choosers whose skill is known, of every kind that a statistic must bear.

Choices are uniform, stuck to positions, of conversations, scored, shared, invalid, or among duplicates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from selfincorrect.simulation.pools import LEVELS, RIGHT, SPREAD, Array, K, Rng

QUESTIONS, MIXED = 500, 0.3  # 150 mixed ones: enough for the normal forms of tests


@dataclass(frozen=True)
class Drawn:
    """Grades [n, k] by slot of what is chosen at once, and the share of the pick on each slot [n, k], 0 in
    all of an invalid output.
    """

    f: Array
    w: Array

    @property
    def ties(self) -> NDArray[np.int64]:
        """By how many candidates each choice is shared, [n]."""
        return np.asarray(np.maximum((self.w > 0).sum(axis=1), 1), dtype=np.int64)

    @property
    def valid(self) -> NDArray[np.bool_]:
        return np.asarray(self.w.any(axis=1))

    @property
    def chosen(self) -> Array:
        """The grade of each choice, the lowest of an invalid one, [n]."""
        return np.asarray(np.where(self.valid, (self.f * self.w).sum(axis=1), self.f.min(axis=1)))


@dataclass(frozen=True)
class World:
    """A kind of pool, and how a chooser without skill picks from it.

    `slots` says whether it picks positions; `fair` whether without skill every candidate is picked as often
    as any other, as the randomisation test and skill suppose. `part` is the part of the draws that it gets.
    """

    pool: Callable[[Rng], Array]
    picks: Callable[[Rng, Array], Array]
    slots: bool = True
    fair: bool = True
    part: float = 1.0

    def draw(self, rng: Rng, skill: float, f: Array | None = None) -> Drawn:
        """A pool, by default a new one, and choices: the best with probability `skill`, else without any."""
        f = self.pool(rng) if f is None else f
        w = self.picks(rng, f)
        knows = (rng.random(len(f)) < skill) & w.any(axis=1)
        shared = np.maximum((w > 0).sum(axis=1), 1)
        place = np.argsort(np.argsort(-f + 1e-9 * rng.random(f.shape), axis=1), axis=1)
        best = (place < shared[:, None]) / shared[:, None]
        return Drawn(f, np.where(knows[:, None], best, w))


def binary(rng: Rng, n: int = QUESTIONS, mixed: float = MIXED) -> Array:
    """Grades of 0 and 1, of which a share `mixed` of the questions has both, as the real pool has them."""
    between = RIGHT[1:K] / RIGHT[1:K].sum()
    right = np.where(rng.random(n) < mixed, 1 + rng.choice(K - 1, n, p=between), K * (rng.random(n) < 0.1))
    return rng.permuted((np.arange(K) < right[:, None]).astype(float), axis=1)


def best_first(rng: Rng) -> Array:
    """As `binary`, with the right candidates first in every question."""
    return -np.sort(-binary(rng), axis=1)


def conversations(rng: Rng) -> Array:
    """Sums over the two turns of conversations of whole grades from 1 to 10."""
    level = rng.choice(LEVELS, (160, 1))
    return np.asarray(
        sum(np.clip(level + rng.choice(SPREAD, (160, K)), 1, 10) for _ in range(2)), dtype=float
    )


def duplicates(rng: Rng) -> Array:
    """As `binary`, with one to four different answers among the candidates of a question."""
    f = binary(rng, mixed=0.45)
    copied = rng.integers(0, rng.integers(1, K + 1, (len(f), 1)), f.shape)
    return np.take_along_axis(f, copied, axis=1)


def even(rng: Rng, f: Array) -> Array:
    return np.eye(f.shape[1])[rng.integers(0, f.shape[1], len(f))]


def locked(rng: Rng, f: Array, share: float) -> Array:
    """A `share` of all picks on the first slot, the others even."""
    return np.where(rng.random((len(f), 1)) < share, np.eye(f.shape[1])[0], even(rng, f))


def some_invalid(rng: Rng, f: Array) -> Array:
    return even(rng, f) * (rng.random((len(f), 1)) < 0.8)


def scores_of_two_values(rng: Rng, f: Array) -> Array:
    """Shares of the highest score, where every candidate has a 9 or a 10."""
    tens = rng.random(f.shape) < 0.5
    top = np.where(tens.any(axis=1, keepdims=True), tens, True)
    return np.asarray(top / top.sum(axis=1, keepdims=True))


WORLDS = {
    "uniform": World(binary, even),
    "60 % on one position": World(binary, partial(locked, share=0.6)),
    "80 % on one position": World(binary, partial(locked, share=0.8)),
    "all on one position": World(binary, partial(locked, share=1.0)),
    "best first, 80 % on it": World(best_first, partial(locked, share=0.8), fair=False),
    "conversations, scored": World(conversations, even),
    "duplicates": World(duplicates, even),
    "a fifth invalid": World(binary, some_invalid),
    "scores 9 and 10": World(binary, scores_of_two_values, slots=False),
    "40 questions": World(partial(binary, n=40, mixed=0.5), even, part=0.05),
}
