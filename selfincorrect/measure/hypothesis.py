"""Tests of "discrimination is not better than generation" on paired grades of the same questions, and
their verdict.
"""

from collections.abc import Sequence
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from selfincorrect.measure.totals import grid_step, kinds_of, on_grid, outcomes, upper_tail

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
    values = outcomes(grades, np.ones(len(grades), np.int64) if ties is None else ties)
    can = [place for place, each in enumerate(values) if np.ptp(each) > 1e-12]
    if not can:
        return 1.0
    values, total = [values[place] for place in can], float(chosen[can].sum())
    if len(values) > EXACT_LIMIT:
        excess = total - sum(each.mean() for each in values)
        return float(stats.norm.sf(excess / np.sqrt(sum(each.var() for each in values))))
    step = grid_step(values)
    if step is None:
        return _drawn(values, total)
    reached = ceil((total - sum(each.min() for each in values)) / step - 1e-6)
    return upper_tail(kinds_of([on_grid(each, step) for each in values]), reached)


def _drawn(values: Sequence[Array], reached: float) -> float:
    """p of a total of at least `reached` by seeded uniform draws."""
    rng = np.random.default_rng(0)
    totals = np.sum([rng.choice(each, DRAWS) for each in values], axis=0)
    return float((totals >= reached - 1e-9).sum() + 1) / (DRAWS + 1)


def mcnemar(n01: int, n10: int) -> dict[str, float]:
    """McNemar's one-sided p-values for n01 questions gained and n10 lost by discrimination.

    `asymptotic` 1 − Φ(z) with z = (n01 − n10)/√(n01 + n10); `exact` P(X ≥ n01) and `midp` P(X > n01) +
    ½P(X = n01) for X ~ Bin(n01 + n10, ½); `as_printed` ½[1 − Φ(|z|)], the paper's formula, which halves
    twice and rejects too often.
    """
    total = n01 + n10
    z = (n01 - n10) / np.sqrt(total) if total else 0.0
    above = float(stats.binom.sf(n01, total, 0.5))
    equal = float(stats.binom.pmf(n01, total, 0.5))
    return {
        "asymptotic": float(stats.norm.sf(z)),
        "exact": min(above + equal, 1.0),
        "midp": above + 0.5 * equal,
        "as_printed": float(0.5 * stats.norm.sf(abs(z))),
    }


def wilcoxon(differences: Array, zeros: Literal["pratt", "wilcox"]) -> float:
    """Signed-rank test that the differences are not above zero, ties corrected, asymptotic.

    `differences` are one per independent cluster, symmetric about 0 under H0. Zeros are ranked and then
    left out (`pratt`) or dropped first (`wilcox`). 1.0 where all are zero.
    """
    if not differences.any():
        return 1.0
    result = stats.wilcoxon(
        differences, zero_method=zeros, alternative="greater", method="approx", correction=False
    )
    return float(result.pvalue)


def uniform_slots(counts: NDArray[np.int64]) -> float:
    """p of the chi-square test that all positions are picked equally often. 1.0 where nothing was picked."""
    return float(stats.chisquare(counts).pvalue) if counts.sum() else 1.0


def equivalence(mean: float, ses: tuple[float, float], clusters: int, margin: float) -> float:
    """p of TOST: the larger of the one-sided t tests' p-values that the mean lies beyond −margin or +margin.

    `ses` are the standard errors of the two tests, clusters − 1 the degrees of freedom. 1.0 where there is
    no spread.
    """
    if clusters < 2 or not all(ses):
        return 1.0
    beyond = stats.t.sf([(mean + margin) / ses[0], (margin - mean) / ses[1]], clusters - 1)
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
