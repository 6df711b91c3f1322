"""Best of j: what a way of choosing scores when it is given any j of n candidates, without drawing them."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from selfincorrect.measure.intervals import Array

MOST = 10_000  # subsets of j candidates that are looked at one by one; of more, DRAWS seeded ones
DRAWS = 1_000
TINY = 1e-12  # of means that differ by rounding


@cache
def _ratios(n: int) -> Array:
    """C(m, j) / C(n, j) for m from 0 to n and j from 1 to n, [n + 1, n]."""
    return np.array([[comb(m, j) / comb(n, j) for j in range(1, n + 1)] for m in range(n + 1)])


def best_of(scores: Sequence[float | None], grades: Sequence[float]) -> Array:
    """The expected grade of the best by `scores` of j random ones of n candidates, for j from 1 to n, [n].

    A group of g candidates that tie behind b better ones holds the best with probability [C(n − b, j) −
    C(n − b − g, j)] / C(n, j), and then counts its mean grade. A subset without any score is invalid, and
    counts its lowest grade.
    """
    n, ratios = len(grades), _ratios(len(grades))
    known = sorted({score for score in scores if score is not None}, reverse=True)
    expected, before = np.zeros(n), 0
    for score in known:
        group = [grade for each, grade in zip(scores, grades, strict=True) if each == score]
        share = ratios[n - before] - ratios[n - before - len(group)]
        expected += share * np.mean(group)
        before += len(group)
    unread = sorted(grade for each, grade in zip(scores, grades, strict=True) if each is None)
    for place, grade in enumerate(unread, 1):  # the lowest of a subset, where those above fill it
        above = len(unread) - place
        expected += grade * (ratios[above + 1] - ratios[above])
    return expected


def majority_of(forms: Sequence[str | None], grades: Sequence[float], seed: int = 0) -> Array:
    """The same of the most frequent normal form, over all subsets, or seeded ones where there are many; [n].

    Answers that tie share the choice; one without a normal form agrees with none.
    """
    n = len(grades)
    names = [f"answer {form}" if form is not None else place for place, form in enumerate(forms)]
    codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
    member = np.zeros((n, len(codes)))
    member[np.arange(n), [codes[name] for name in names]] = 1
    worth = member * np.array(grades, dtype=float)[:, None]
    if len(codes) == 1:
        return np.full(n, np.mean(grades))
    found = []
    for j in range(1, n + 1):
        subsets = _subsets(n, j, seed)
        votes = subsets @ member
        most = votes == votes.max(axis=1, keepdims=True)
        found.append(((subsets @ worth * most).sum(axis=1) / (votes * most).sum(axis=1)).mean())
    return np.array(found)


def compared_of(chance: Array, grades: Sequence[float], seed: int = 0) -> Array:
    """The same of the mean of p_ij (`chance`, [n, n], 0.5 for a draw) over the others of a subset; [n]."""
    n, worth = len(grades), np.array(grades, dtype=float)
    against = np.where(np.eye(n, dtype=bool), 0.0, chance)
    found = [worth.mean()]
    for j in range(2, n + 1):
        subsets = _subsets(n, j, seed)
        scores = np.where(subsets > 0, subsets @ against.T, -1.0)
        best = scores >= scores.max(axis=1, keepdims=True) - TINY * j
        found.append(((best * worth).sum(axis=1) / best.sum(axis=1)).mean())
    return np.array(found)


@cache
def _subsets(n: int, j: int, seed: int) -> NDArray[np.float64]:
    """Subsets of j of n, a row each, 1 for a member."""
    if comb(n, j) <= MOST:
        rows = [list(each) for each in combinations(range(n), j)]
    else:
        rng = np.random.default_rng([seed, n, j])
        rows = [rng.permutation(n)[:j].tolist() for _ in range(DRAWS)]
    subsets = np.zeros((len(rows), n))
    np.put_along_axis(subsets, np.array(rows), 1.0, axis=1)
    return subsets
