"""Best of j: what a way of choosing scores when it is given any j of n candidates, without drawing them."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from selfincorrect.measure.intervals import Array

MOST = 10_000  # subsets of j candidates that are looked at one by one; of more, DRAWS seeded ones
DRAWS, FEWER = 1_000, 200  # FEWER of more than EACH candidates
TINY = 1e-12  # of means that differ by rounding
EACH = 32  # every j up to this; beyond it powers of two and their halves between: 48, 64, 96, …


@cache
def sizes(n: int) -> tuple[int, ...]:
    """The j that are looked at: all up to EACH, fewer and fewer beyond, and n."""
    found, power = list(range(1, min(n, EACH) + 1)), EACH
    while power < n:
        found += [j for j in (power * 3 // 2, power * 2) if j < n]
        power *= 2
    return (*found, n) if found[-1] < n else tuple(found)


@cache
def ratios(n: int) -> Array:
    """C(m, j) / C(n, j) for m from 0 to n and each j of `sizes`, [n + 1, sizes]: how probably a random
    j-subset of n lies within m given ones.
    """
    return np.array([[comb(m, j) / comb(n, j) for j in sizes(n)] for m in range(n + 1)])


def best_of(scores: Sequence[float | None], grades: Sequence[float]) -> Array:
    """The expected grade of the best by `scores` of j random ones of n candidates, for each j of `sizes`.

    A group of g candidates that tie behind b better ones holds the best with probability [C(n − b, j) −
    C(n − b − g, j)] / C(n, j), and then counts its mean grade. A subset without any score is invalid, and
    counts its lowest grade.
    """
    n, worth = len(grades), np.array(grades, dtype=float)
    values = np.array([np.nan if score is None else score for score in scores], dtype=float)
    known = ~np.isnan(values)
    _, group = np.unique(-values[known], return_inverse=True)  # the highest first
    members = np.bincount(group)
    behind = n - np.cumsum([0, *members])
    share = ratios(n)[behind[:-1]] - ratios(n)[behind[1:]]
    expected = (np.bincount(group, worth[known]) / members) @ share
    unread = np.sort(worth[~known])
    above = len(unread) - np.arange(1, len(unread) + 1)  # the lowest of a subset, where those above fill it
    return np.asarray(expected + unread @ (ratios(n)[above + 1] - ratios(n)[above]))


def majority_of(forms: Sequence[str | None], grades: Sequence[float], seed: int = 0) -> Array:
    """The same of the most frequent normal form, over all subsets, or seeded ones where there are many.

    Answers that tie share the choice; one without a normal form agrees with none.
    """
    n, member = len(grades), members(forms)
    if member.shape[1] == 1:
        return np.full(len(sizes(n)), np.mean(grades))
    worth = member * np.array(grades, dtype=float)[:, None]
    found = []
    for j in sizes(n):
        drawn = subsets(n, j, seed)
        votes = drawn @ member
        most = votes == votes.max(axis=1, keepdims=True)
        found.append(((drawn @ worth * most).sum(axis=1) / (votes * most).sum(axis=1)).mean())
    return np.array(found)


def members(forms: Sequence[str | None]) -> Array:
    """Which answer each candidate gives, [candidates, answers]; without a normal form it is its own."""
    names = [f"answer {form}" if form is not None else place for place, form in enumerate(forms)]
    codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
    member = np.zeros((len(forms), len(codes)))
    member[np.arange(len(forms)), [codes[name] for name in names]] = 1
    return member


def compared_of(chance: Array, grades: Sequence[float], seed: int = 0) -> Array:
    """The same of the mean of p_ij (`chance`, [n, n], 0.5 for a draw; or of another number that says how much
    candidate j speaks for i) over the others of a subset.
    """
    n, worth = len(grades), np.array(grades, dtype=float)
    against = np.where(np.eye(n, dtype=bool), 0.0, chance)
    found = [worth.mean()]
    for j in sizes(n)[1:]:
        drawn = subsets(n, j, seed)
        scores = np.where(drawn > 0, drawn @ against.T, -1.0)
        best = scores >= scores.max(axis=1, keepdims=True) - TINY * j
        found.append(((best * worth).sum(axis=1) / best.sum(axis=1)).mean())
    return np.array(found)


@cache
def subsets(n: int, j: int, seed: int) -> NDArray[np.float64]:
    """Subsets of j of n, a row each, 1 for a member: all up to MOST, else seeded ones."""
    if comb(n, j) <= MOST:
        rows = [list(each) for each in combinations(range(n), j)]
    else:
        rng = np.random.default_rng([seed, n, j])
        rows = [rng.permutation(n)[:j].tolist() for _ in range(DRAWS if n <= EACH else FEWER)]
    found = np.zeros((len(rows), n))
    np.put_along_axis(found, np.array(rows), 1.0, axis=1)
    return found
