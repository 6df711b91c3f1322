"""Tests of "discrimination is not better than generation" on paired grades of the same questions, and
their verdict.
"""

from collections.abc import Sequence
from math import ceil
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from selfincorrect.measure.totals import Draws, grid_step, matter, on_grid, outcomes, upper_tail

Array = NDArray[np.float64]
ALPHA = 0.05  # of each one-sided test
EXACT_LIMIT = 5000  # mixed questions; above it the randomisation test uses its normal approximation
DRAWS = 10_000  # for scores on no grid

Verdict = Literal["better", "worse", "equivalent", "undecided"]


def randomisation(grades: Array, chosen: Array, ties: NDArray[np.int64] | None = None) -> float:
    """p of a total chosen grade at least as large, if every choice were a uniform draw from its candidates.

    `grades` [m, k], `chosen` [m] and `ties` [m], by how many candidates each choice is shared (by default
    one): under the null hypothesis it is then a uniform subset of so many, with its mean grade. Exact for
    up to EXACT_LIMIT mixed questions, by convolution of the questions' distributions; for scores on no
    common grid by DRAWS seeded draws of the total, (draws that reach it + 1)/(DRAWS + 1), which keeps the
    level too. Above the limit normal with the variance of the draws. 1.0 where no choice can matter. For
    the other side give −`grades` and −`chosen`.
    """
    ties = np.ones(len(grades), np.int64) if ties is None else ties
    can = matter(grades, ties)
    if not can.any():
        return 1.0
    kinds = outcomes(grades[can], ties[can])
    total = float((chosen[can] - grades[can].min(axis=1)).sum())
    if can.sum() > EXACT_LIMIT:
        excess = total - sum(count * each.mean for each, count in kinds)
        return float(
            scipy.stats.norm.sf(excess / np.sqrt(sum(count * each.variance for each, count in kinds)))
        )
    step = grid_step(each.values for each, _ in kinds)
    if step is None:
        return _drawn(kinds, total)
    lowest = sum(count * float(each.values.min()) for each, count in kinds)
    return upper_tail(on_grid(kinds, step), ceil((total - lowest) / step - 1e-6))


def _drawn(kinds: Draws, reached: float) -> float:
    """p of a total of at least `reached` by seeded uniform draws."""
    rng = np.random.default_rng(0)
    drawn = (rng.choice(each.values, (count, DRAWS), p=each.chances).sum(axis=0) for each, count in kinds)
    totals = np.sum(list(drawn), axis=0)
    return float((totals >= reached - 1e-9).sum() + 1) / (DRAWS + 1)


def mcnemar(n01: int, n10: int) -> dict[str, float]:
    """McNemar's one-sided p-values for n01 questions gained and n10 lost by discrimination.

    `asymptotic` 1 − Φ(z) with z = (n01 − n10)/√(n01 + n10); `exact` P(X ≥ n01) and `midp` P(X > n01) +
    ½P(X = n01) for X ~ Bin(n01 + n10, ½); `as_printed` ½[1 − Φ(|z|)], the paper's formula, which halves
    twice and rejects too often.
    """
    total = n01 + n10
    z = (n01 - n10) / np.sqrt(total) if total else 0.0
    above = float(scipy.stats.binom.sf(n01, total, 0.5))
    equal = float(scipy.stats.binom.pmf(n01, total, 0.5))
    return {
        "asymptotic": float(scipy.stats.norm.sf(z)),
        "exact": min(above + equal, 1.0),
        "midp": above + 0.5 * equal,
        "as_printed": float(0.5 * scipy.stats.norm.sf(abs(z))),
    }


def wilcoxon(differences: Array, zeros: Literal["pratt", "wilcox"]) -> float:
    """Signed-rank test that the differences are not above zero, ties corrected, asymptotic.

    `differences` are one per independent cluster, symmetric about 0 under H0. Zeros are ranked and then
    left out (`pratt`) or dropped first (`wilcox`). 1.0 where all are zero.
    """
    if not differences.any():
        return 1.0
    result = scipy.stats.wilcoxon(
        differences, zero_method=zeros, alternative="greater", method="approx", correction=False
    )
    return float(result.pvalue)


def uniform_slots(counts: NDArray[np.int64]) -> float:
    """p of the chi-square test that all positions are picked equally often. 1.0 where nothing was picked."""
    return float(scipy.stats.chisquare(counts).pvalue) if counts.sum() else 1.0


def equivalence(mean: float, ses: tuple[float, float], clusters: int, margin: float) -> float:
    """p of TOST: the larger of the one-sided t tests' p-values that the mean lies beyond −margin or +margin.

    `ses` are the standard errors of the two tests, clusters − 1 the degrees of freedom. 1.0 where there is
    no spread.
    """
    if clusters < 2 or not all(ses):
        return 1.0
    beyond = scipy.stats.t.sf([(mean + margin) / ses[0], (margin - mean) / ses[1]], clusters - 1)
    return float(beyond.max())


def verdict(better: float, worse: float, equivalent: float) -> Verdict:
    """What the p-values of the three tests say together, each at ALPHA. Not rejecting is not support."""
    if better <= ALPHA:
        return "better"
    if worse <= ALPHA:
        return "worse"
    return "equivalent" if equivalent <= ALPHA else "undecided"


def adjusted(p_values: Sequence[float], method: Literal["holm", "fdr_bh"]) -> list[float]:
    """p-values adjusted over their family: Holm's (family-wise error) or Benjamini and Hochberg's (false
    discoveries).
    """
    from statsmodels.stats.multitest import multipletests  # two seconds, needed by one job of a run

    return [float(p) for p in multipletests(p_values, method=method)[1]] if p_values else []
