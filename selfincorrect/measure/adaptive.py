"""Rules that decide while they go how much to ask, replayed on pools that are there."""

from collections.abc import Sequence
from functools import cache
from itertools import permutations
from math import ceil, factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from selfincorrect.measure.best_of import members, sizes
from selfincorrect.measure.intervals import Array

DRAWS = 200  # orders of the candidates of a question, or some more
DECIDED = 0.95  # probability that the leading answer stays ahead, at which votes stop


class Replayed(NamedTuple):
    """What a rule comes to for each number of candidates allowed, a mean over orders: the expected grade of
    its choice, how many candidates it draws, and how often it asks.
    """

    score: Array
    drawn: Array
    asked: Array


def allowed(n: int) -> list[int]:
    """The numbers of candidates for which rules are replayed: powers of two, and n."""
    return [j for j in sizes(n) if j & (j - 1) == 0 or j == n]


@cache
def orders(n: int, seed: int) -> NDArray[np.int64]:
    """Orders of n candidates, [orders, n]: all, or seeded ones and all their rotations, so that each
    candidate comes first equally often.
    """
    if factorial(n) <= DRAWS:
        return np.array(list(permutations(range(n))))
    rng = np.random.default_rng([seed, n])
    drawn = [rng.permutation(n) for _ in range(ceil(DRAWS / n))]
    return np.array([np.roll(each, turn) for each in drawn for turn in range(n)])


@cache
def _leads(n: int) -> Array:
    """How probable it is that an answer with a votes is ahead of one with b, a and b up to n: that a share
    which is Beta(a + 1, b + 1) is above one half (Aggarwal et al. 2023, 2305.11860, equation 1).
    """
    votes = np.arange(n + 1)
    return np.asarray(1 - betainc(votes[:, None] + 1, votes[None, :] + 1, 0.5))


def stopped(forms: Sequence[str | None], grades: Sequence[float], seed: int = 0) -> Replayed:
    """Votes that stop as soon as the lead of the first answer over the second is probably decided."""
    n, member, drawn = len(forms), members(forms), orders(len(forms), seed)
    member = np.column_stack([member, np.zeros(n)])  # nobody's answer: a second one is always there
    votes = np.cumsum(member.astype(np.int16)[drawn], axis=1, dtype=np.int16)  # [draws, so far, answers]
    ahead = np.partition(votes, -2, axis=2)[:, :, -2:]
    over = _leads(n)[ahead[:, :, 1], ahead[:, :, 0]] >= DECIDED
    first = np.where(over.any(axis=1), over.argmax(axis=1), n - 1)
    worth, row, found = np.array(grades, dtype=float), np.arange(len(drawn)), []
    for j in allowed(n):
        last = np.minimum(first, j - 1)
        told = votes[row, last]
        lead = (told == told.max(axis=1, keepdims=True)).astype(float) @ member.T  # [draws, candidates]
        lead[row[:, None], drawn] *= np.arange(n) <= last[:, None]  # drawn so far
        found.append(((lead @ worth / lead.sum(axis=1)).mean(), (last + 1).mean(), 0.0))
    return Replayed(*np.array(found).T)


def split(
    forms: Sequence[str | None],
    grades: Sequence[float],
    scores: Sequence[float | None],
    threshold: float,
    seed: int = 0,
) -> Replayed:
    """Votes, and the choice by `scores` where the largest group of answers has less than the share
    `threshold` of the votes. Candidates without a score are not chosen while others have one; where none has
    one, the lowest grade counts.
    """
    n, member, drawn = len(forms), members(forms), orders(len(forms), seed)
    worth = np.array(grades, dtype=float)
    preferred = np.array([-np.inf if each is None else each for each in scores], dtype=float)
    found = []
    for j in allowed(n):
        some = drawn[:, :j]
        votes = member[some].sum(axis=1)
        most = votes == votes.max(axis=1, keepdims=True)
        mine = (most[:, None, :] * member[some]).sum(axis=2)  # which of the candidates lead
        vote = (mine * worth[some]).sum(axis=1) / mine.sum(axis=1)
        best = preferred[some] == preferred[some].max(axis=1, keepdims=True)
        chosen = (best * worth[some]).sum(axis=1) / best.sum(axis=1)
        unread = np.isneginf(preferred[some]).all(axis=1)
        chosen = np.where(unread, worth[some].min(axis=1), chosen)
        asked = _are_split(votes, threshold, j)
        found.append((np.where(asked, chosen, vote).mean(), j, asked.mean()))
    return Replayed(*np.array(found, dtype=float).T)


def _are_split(votes: Array, threshold: float, j: int) -> NDArray[np.bool_]:
    """Whether the largest group of answers has less than its share of j votes, [draws]."""
    return np.asarray((votes.max(axis=1) < threshold * j) & (j > 1))


def needed_where_split(
    forms: Sequence[str | None], slots: Sequence[Sequence[Sequence[int]]], threshold: float, seed: int = 0
) -> Array:
    """How often `split` makes each request, [requests, allowed]: it asks, and of each of the request's
    `slots` it has a candidate, for two slots two.
    """
    n, member, drawn = len(forms), members(forms), orders(len(forms), seed)
    first, second = np.zeros((2, len(slots), n))
    for request, about in enumerate(slots):
        first[request, list(about[0])] = 1
        second[request, list(about[-1])] = 1
    several = np.array([len(about) for about in slots])
    found = []
    for j in allowed(n):
        some = drawn[:, :j]
        inside = np.zeros((len(drawn), n))
        np.put_along_axis(inside, some, 1.0, axis=1)
        there = (inside @ first.T > 0) & (inside @ second.T > 0)
        there &= inside @ np.maximum(first, second).T >= several
        asked = _are_split(member[some].sum(axis=1), threshold, j)
        found.append((there & asked[:, None]).mean(axis=0))
    return np.array(found).T
