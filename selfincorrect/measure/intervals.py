"""Standard errors and 95 % intervals that know which questions belong together."""

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEVEL = 0.95
BOOTSTRAP_DRAWS = 10_000
NONE = (float("nan"), float("nan"))


def cluster_sums(values: Array, clusters: NDArray[Any]) -> Array:
    """Sum of `values` [m] in each cluster, [number of clusters]."""
    _, inverse = np.unique(clusters, return_inverse=True)
    return np.bincount(inverse, weights=values).astype(np.float64)


def cluster_means(values: Array, clusters: NDArray[Any]) -> Array:
    """Mean of `values` [m] in each cluster, [number of clusters]."""
    return cluster_sums(values, clusters) / cluster_sums(np.ones(len(values)), clusters)


def clustered_se(values: Array, clusters: NDArray[Any]) -> float:
    """Standard error of the mean of `values` [m] with dependence inside clusters.

    SE² = (1/m²) Σ_clusters (Σ_{i∈cluster} (v_i − v̄))².
    """
    return float(np.sqrt((cluster_sums(values - values.mean(), clusters) ** 2).sum()) / len(values))


def interval(values: Array, clusters: NDArray[Any]) -> tuple[float, float]:
    """95 % t interval of the mean, clusters − 1 degrees of freedom.

    NaN with fewer than two clusters or without any spread: ± 0 would be a claim.
    """
    count, se = len(np.unique(clusters)), clustered_se(values, clusters)
    if count < 2 or se < 1e-12:
        return NONE
    half = scipy.stats.t.ppf((1 + LEVEL) / 2, count - 1) * se
    return float(values.mean() - half), float(values.mean() + half)


def share_interval(successes: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; NaN of nothing."""
    if not count:
        return NONE
    found = scipy.stats.binomtest(successes, count).proportion_ci(LEVEL, "wilson")
    return float(found.low), float(found.high)


def score_interval(values: Array, clusters: NDArray[Any], scale: bool = False) -> tuple[float, float]:
    """95 % interval of a mean score.

    Of scores in [0, 1]: Wilson's where every score is 0 or 1 and every question its own cluster, or where
    the scores have no spread to judge by; else `interval`, kept inside [0, 1]. Of other grades, and of all
    on a `scale`: `interval`.
    """
    if scale or values.min() < 0 or values.max() > 1:
        return interval(values, clusters)
    count, binary = len(np.unique(clusters)), set(np.unique(values)) <= {0.0, 1.0}
    if (binary and count == len(values)) or np.ptp(values) < 1e-12:
        return share_interval(round(values.mean() * count), count)
    low, high = interval(values, clusters)
    return max(low, 0.0), min(high, 1.0)


def ratio_interval(top: Array, bottom: Array, clusters: NDArray[Any], seed: int) -> tuple[float, float]:
    """95 % percentile interval of Σ top / Σ bottom by cluster bootstrap, BOOTSTRAP_DRAWS seeded draws.

    NaN where no draw has a bottom other than 0, or where all draws agree.
    """
    tops, bottoms = cluster_sums(top, clusters), cluster_sums(bottom, clusters)
    # Clusters with the same sums are interchangeable: draw how many of each kind, which is the same and much
    # quicker.
    kinds, members = np.unique(np.column_stack([tops, bottoms]), axis=0, return_counts=True)
    tops, bottoms = kinds.T
    rng, ratios = np.random.default_rng(seed), []
    for _ in range(10):  # in blocks, so that memory stays small
        draws = rng.multinomial(members.sum(), members / members.sum(), size=BOOTSTRAP_DRAWS // 10)
        below = draws @ bottoms
        ratios.append((draws @ tops)[below > 1e-12] / below[below > 1e-12])
    found = np.concatenate(ratios)
    if not len(found):
        return NONE
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high)) if high - low > 1e-12 else NONE
