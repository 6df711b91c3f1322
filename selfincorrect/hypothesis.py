"""One-sided tests of "discrimination is not better than generation" on paired grades of the same questions."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
EXACT_LIMIT = 5000  # questions; above it the randomisation test uses its normal approximation


def randomisation(grades: Array, chosen: Array) -> float:
    """p of a total chosen grade at least as large, if every choice were a uniform draw from its candidates.

    `grades` [m, k] and `chosen` [m]. Exact for grades of 0 and 1 and m ≤ EXACT_LIMIT: the total is then Poisson-binomial
    with the questions' mean grades. Otherwise normal, with variance Σ var(grades of question i). 1.0 where no question's
    candidates differ, since then no choice can matter.
    """
    mixed = grades.min(axis=1) < grades.max(axis=1)
    if not mixed.any():
        return 1.0
    grades, chosen = grades[mixed], chosen[mixed]
    if len(grades) <= EXACT_LIMIT and set(np.unique(grades)) <= {0.0, 1.0}:
        tail = stats.poisson_binom(grades.mean(axis=1)).sf(round(chosen.sum()) - 1)
        return float(np.clip(tail, 0.0, 1.0))
    excess = chosen.sum() - grades.mean(axis=1).sum()
    return float(stats.norm.sf(excess / np.sqrt(grades.var(axis=1).sum())))


def mcnemar(n01: int, n10: int) -> dict[str, float]:
    """McNemar's one-sided p-values for n01 questions gained and n10 lost by discrimination.

    `asymptotic` 1 − Φ(z) with z = (n01 − n10)/√(n01 + n10); `exact` P(X ≥ n01) and `midp` P(X > n01) + ½P(X = n01) for
    X ~ Bin(n01 + n10, ½); `as_printed` ½[1 − Φ(|z|)], the paper's formula, which halves twice and rejects too often.
    """
    total = n01 + n10
    z = (n01 - n10) / np.sqrt(total) if total else 0.0
    binomial = stats.binom(total, 0.5)
    return {
        "asymptotic": float(stats.norm.sf(z)),
        "exact": float(binomial.sf(n01 - 1)),
        "midp": float(binomial.sf(n01) + 0.5 * binomial.pmf(n01)),
        "as_printed": float(0.5 * stats.norm.sf(abs(z))),
    }


def wilcoxon(differences: Array) -> float:
    """Signed-rank test that the differences are not above zero, zeros by Pratt, ties corrected, asymptotic.

    `differences` are one per independent cluster. 1.0 where all are zero.
    """
    if not differences.any():
        return 1.0
    result = stats.wilcoxon(differences, zero_method="pratt", alternative="greater", method="approx", correction=False)
    return float(result.pvalue)


def uniform_slots(counts: NDArray[np.int64]) -> float:
    """p of the chi-square test that all positions are picked equally often. 1.0 where nothing was picked."""
    return float(stats.chisquare(counts).pvalue) if counts.sum() else 1.0
