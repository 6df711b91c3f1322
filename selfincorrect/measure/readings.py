"""What readings of the same candidates in several orders tell: whether they are about candidates or slots."""

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from math import fsum
from typing import Any, NamedTuple

import numpy as np

from selfincorrect.measure.intervals import Array

Readings = Sequence[Mapping[str, Any]]  # of one question: `samples` in the order shown, the `shares` of each


class Spread(NamedTuple):
    """Sums of squares between candidates and between slots, of shares that were read in several orders."""

    candidates: float
    slots: float

    def __add__(self, other: "Spread") -> "Spread":  # type: ignore[override]
        return Spread(self.candidates + other.candidates, self.slots + other.slots)

    @property
    def share(self) -> float | None:
        """The share of both that is between candidates; None where nothing differs."""
        return self.candidates / sum(self) if sum(self) > 0 else None


def spread(readings: Readings) -> Spread:
    """The spread of one question, of every set of samples that was shown in several orders."""
    found = Spread(0.0, 0.0)
    together: dict[frozenset[int], list[Mapping[str, Any]]] = {}
    for each in readings:
        together.setdefault(frozenset(each["samples"]), []).append(each)
    for group in together.values():
        if len({tuple(each["samples"]) for each in group}) < 2:
            continue
        by_sample: dict[int, list[float]] = {}
        by_slot: dict[int, list[float]] = {}
        for each in group:
            for slot, (sample, share) in enumerate(zip(each["samples"], each["shares"], strict=True)):
                by_sample.setdefault(sample, []).append(share)
                by_slot.setdefault(slot, []).append(share)
        found += Spread(_between(by_sample), _between(by_slot))
    return found


def _between(groups: Mapping[int, Sequence[float]]) -> float:
    whole = fsum(share for each in groups.values() for share in each)
    mean = whole / sum(map(len, groups.values()))
    return fsum(len(each) * (fsum(each) / len(each) - mean) ** 2 for each in groups.values())


def chances(readings: Readings, k: int) -> Array:
    """p_ij, how probably sample i is preferred to j, the mean over both orders, [k, k]; nan where one is
    missing.
    """
    first = np.full((k, k), np.nan)
    for each in readings:
        if len(each["samples"]) == 2:
            first[tuple(each["samples"])] = each["shares"][0]
    return np.asarray((first + 1 - first.T) / 2)


def triads(chance: Array) -> tuple[int, int]:
    """How many triples of candidates were all compared, without a draw, and how many of these go round: a
    beats b, b beats c, and c beats a.
    """
    count = cyclic = 0
    for three in combinations(range(len(chance)), 3):
        known = np.array([chance[pair] for pair in permutations(three, 2)])
        if np.isnan(known).any() or (known == 0.5).any():
            continue
        count += 1
        wins = [sum(chance[one, other] > 0.5 for other in three if other != one) for one in three]
        cyclic += wins == [1, 1, 1]
    return count, cyclic
