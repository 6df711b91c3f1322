"""The distribution of a total of independent draws, one a choice, with tails that keep their size: 1e-18
is not 0.
"""

from collections.abc import Iterable
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Steps per unit that are tried when values are laid on a grid: means of up to 8 whole numbers have 840.
STEPS = range(1, 841)
LONG = 500  # products longer than this are convolved by Fourier transform


SUBSETS = 10_000  # subsets that are looked at one by one; of more, as many seeded ones


class Draw(NamedTuple):
    """What one draw can give, and how probable each of it is."""

    values: Array
    chances: Array

    @property
    def mean(self) -> float:
        return float(self.values @ self.chances)

    @property
    def variance(self) -> float:
        return float((self.values - self.mean) ** 2 @ self.chances)


Draws = list[tuple[Draw, int]]  # with how many such draws there are
Kinds = list[tuple[Array, int]]  # the probabilities of 0, 1, … steps, and how many such draws there are


def results(grades: Array, tied: int = 1) -> Draw:
    """The results of a uniform choice among candidates with these `grades` [k].

    A choice that `tied` candidates share is a uniform subset of so many, and counts with its mean grade:
    hypergeometric where there are two grades, by all subsets up to SUBSETS, else by seeded ones.
    """
    k, (found, counts) = len(grades), np.unique(grades, return_counts=True)
    if tied == 1:
        return Draw(found, counts / k)
    if len(found) == 2:
        upper = np.arange(max(0, tied - counts[0]), min(tied, counts[1]) + 1)
        values = (found[0] * (tied - upper) + found[1] * upper) / tied
        return Draw(values, scipy.stats.hypergeom.pmf(upper, k, counts[1], tied))
    if comb(k, tied) <= SUBSETS:
        means = [np.mean(subset) for subset in combinations(grades, tied)]
    else:
        rng = np.random.default_rng([k, tied])
        means = [rng.permutation(grades)[:tied].mean() for _ in range(SUBSETS)]
    values, counts = np.unique(np.round(means, 12), return_counts=True)
    return Draw(values, counts / counts.sum())


def matter(grades: Array, ties: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the choices among `grades` [m, k] can matter: the grades differ, and not all candidates tie."""
    return np.asarray((np.ptp(grades, axis=1) > 1e-12) & (ties < grades.shape[1]))


def outcomes(grades: Array, ties: NDArray[np.int64]) -> Draws:
    """The `results` of each row of `grades` [m, k] above its lowest grade, equal ones together."""
    above = np.sort(np.round(grades - grades.min(axis=1, keepdims=True), 12), axis=1)
    rows, counts = np.unique(np.column_stack([above, ties]), axis=0, return_counts=True)
    return [(results(row[:-1], int(row[-1])), int(count)) for row, count in zip(rows, counts, strict=True)]


def grid_step(values: Iterable[Array]) -> float | None:
    """The largest step by which the values of each array differ in whole numbers; None if there is none."""
    above = np.unique(np.round(np.concatenate([each - each.min() for each in values]), 12))
    some = above[:: len(above) // 20 + 1]  # most steps fail at once
    for steps in STEPS:
        if np.abs(some * steps - np.rint(some * steps)).max() > 1e-8:
            continue
        whole = np.rint(above * steps)
        if np.allclose(above * steps, whole, rtol=0, atol=1e-8):
            return float(np.gcd.reduce(whole.astype(np.int64))) / steps
    return None


def on_grid(draws: Draws, step: float) -> Kinds:
    """The probabilities of 0, 1, … steps above the lowest value of each draw."""
    return [
        (_binned(np.rint((each.values - each.values.min()) / step), each.chances), count)
        for each, count in draws
    ]


def _binned(steps: Array, chances: Array) -> Array:
    return np.bincount(steps.astype(np.int64), chances).astype(np.float64)


def convolved(kinds: Kinds) -> Array:
    """The distribution of the sum of independent numbers."""
    waiting = [_power(part, count) for part, count in kinds]
    while len(waiting) > 1:  # the shortest first, so that long ones meet long ones
        waiting.sort(key=len, reverse=True)
        waiting.append(_product(waiting.pop(), waiting.pop()))
    return waiting[0] if waiting else np.ones(1)


def _power(part: Array, count: int) -> Array:
    result, square = np.ones(1), part
    while count:
        if count % 2:
            result = _product(result, square)
        count //= 2
        square = _product(square, square) if count else square
    return result


def _product(a: Array, b: Array) -> Array:
    if min(len(a), len(b)) <= LONG:
        return np.convolve(a, b)
    product: Array = scipy.signal.convolve(a, b)
    return np.clip(product, 0.0, None)


def upper_tail(kinds: Kinds, reached: int) -> float:
    """P(sum ≥ `reached`) for independent numbers.

    Exact with relative accuracy in the far tail too: the distribution is tilted until its mean is
    `reached`, convolved, and tilted back (an exponential change of measure).
    """
    top = sum((len(part) - 1) * count for part, count in kinds)
    if reached <= 0 or reached > top:
        return float(reached <= 0)
    if reached == top:
        return float(np.exp(sum(count * np.log(part[-1]) for part, count in kinds)))
    tilt = _tilt_to(kinds, reached)
    tilted = [(part * np.exp(tilt * (np.arange(len(part)) - len(part) + 1)), count) for part, count in kinds]
    size = sum(count * np.log(part.sum()) for part, count in tilted)
    found = convolved([(part / part.sum(), count) for part, count in tilted])[reached:]
    back = size + tilt * (top - np.arange(reached, top + 1))
    return float(min((found * np.exp(back)).sum(), 1.0))


def _tilt_to(kinds: Kinds, reached: int) -> float:
    """How strongly to tilt so that the mean is `reached`; 0 where it is not below that anyway."""

    longest = max(len(part) for part, _ in kinds)
    places, counts = np.arange(longest), np.array([count for _, count in kinds])
    parts = np.array([np.pad(part, (0, longest - len(part))) for part, _ in kinds])
    above = np.minimum(places - np.array([[len(part) - 1] for part, _ in kinds]), 0)

    def excess(tilt: float) -> float:
        weights = parts * np.exp(tilt * above)
        return float(counts @ (weights @ places / weights.sum(axis=1))) - reached

    if excess(0.0) >= 0:
        return 0.0
    highest = 1.0
    while excess(highest) < 0:
        highest *= 2
    return float(scipy.optimize.brentq(excess, 0.0, highest))
