"""Tests of "discrimination is not better than generation" on paired grades of the same questions, and their verdict."""

from collections.abc import Sequence
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
ALPHA = 0.05  # of each one-sided test
EXACT_LIMIT = 5000  # mixed questions; above it the randomisation test uses its normal approximation
STEPS = range(1, 61)  # steps per unit tried when scores are laid on a grid
DRAWS = 10_000  # for scores on no grid

Verdict = Literal["better", "worse", "equivalent", "undecided"]


def randomisation(grades: Array, chosen: Array) -> float:
    """p of a total chosen grade at least as large, if every choice were a uniform draw from its candidates.

    `grades` [m, k] and `chosen` [m]. Exact for up to EXACT_LIMIT mixed questions: the total is a sum of independent draws,
    Poisson-binomial for grades of 0 and 1, else the convolution of the questions' distributions; for scores on no common
    grid by DRAWS seeded draws of the total, (draws that reach it + 1)/(DRAWS + 1), which keeps the level too. Above the limit
    normal with variance Σ var(grades of question i). 1.0 where no question's candidates differ, since then no choice can
    matter. For the other side give −`grades` and −`chosen`.
    """
    mixed = grades.min(axis=1) < grades.max(axis=1)
    if not mixed.any():
        return 1.0
    grades, chosen = grades[mixed], chosen[mixed]
    if len(grades) > EXACT_LIMIT:
        excess = chosen.sum() - grades.mean(axis=1).sum()
        return float(stats.norm.sf(excess / np.sqrt(grades.var(axis=1).sum())))
    step = grid_step(grades)
    if step is None:
        return _drawn(grades, float(chosen.sum()))
    lowest = grades.min(axis=1)
    above = np.rint((grades - lowest[:, None]) / step).astype(int)
    reached = ceil((chosen - lowest).sum() / step - 1e-6)
    if above.max() == 1:
        tail = stats.poisson_binom.sf(reached - 1, above.mean(axis=1))
    else:
        tail = _distribution_of_total(above)[max(reached, 0) :].sum()
    return float(np.clip(tail, 0.0, 1.0))


def grid_step(grades: Array) -> float | None:
    """The largest step by which the grades of each question, [m, k], differ in whole numbers; None if there is none."""
    above = grades - grades.min(axis=1, keepdims=True)
    for steps in STEPS:
        whole = np.rint(above * steps).astype(int)
        if np.allclose(above * steps, whole, atol=1e-9):
            return float(np.gcd.reduce(whole, axis=None)) / steps
    return None


def _drawn(grades: Array, reached: float) -> float:
    """p of a total of at least `reached` by seeded uniform draws."""
    rng, count = np.random.default_rng(0), 0
    for _ in range(10):  # in blocks, so that memory stays small
        picks = rng.integers(0, grades.shape[1], (DRAWS // 10, len(grades)))
        count += int((grades[np.arange(len(grades)), picks].sum(axis=1) >= reached - 1e-9).sum())
    return (count + 1) / (DRAWS + 1)


def _distribution_of_total(values: NDArray[np.int64]) -> Array:
    """Probabilities of each total 0, 1, … if one of the k values of every row is drawn at random; `values` [m, k] ≥ 0."""
    parts = [np.bincount(row) / len(row) for row in values]
    while len(parts) > 1:  # pairwise, so that long ones meet long ones
        convolve = _convolve_long if len(parts[0]) > 500 else np.convolve  # which is quicker for short ones
        pairs = [convolve(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]


def _convolve_long(a: Array, b: Array) -> Array:
    from scipy import signal  # half a second, needed by large pools alone

    result: Array = signal.convolve(a, b)
    return result


def mcnemar(n01: int, n10: int) -> dict[str, float]:
    """McNemar's one-sided p-values for n01 questions gained and n10 lost by discrimination.

    `asymptotic` 1 − Φ(z) with z = (n01 − n10)/√(n01 + n10); `exact` P(X ≥ n01) and `midp` P(X > n01) + ½P(X = n01) for
    X ~ Bin(n01 + n10, ½); `as_printed` ½[1 − Φ(|z|)], the paper's formula, which halves twice and rejects too often.
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

    `differences` are one per independent cluster, symmetric about 0 under H0. Zeros are ranked and then left out
    (`pratt`) or dropped first (`wilcox`). 1.0 where all are zero.
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

    `ses` are the standard errors of the two tests, clusters − 1 the degrees of freedom. 1.0 where there is no spread.
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
    """p-values adjusted over their family: Holm's (family-wise error) or Benjamini and Hochberg's (false discoveries)."""
    from statsmodels.stats.multitest import multipletests  # two seconds, needed by one job of a run

    return [float(p) for p in multipletests(p_values, method=method)[1]] if p_values else []
