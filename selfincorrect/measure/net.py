"""DG-Diff taken apart: what the picks gain beyond a preference for positions (net), and what that preference
gains alone (luck).

Of the valid choices, f[i, s] is the grade of what question i shows in slot s, w[i, s] the share of its
pick that fell on slot s, π[s] the mean of w and F̄[s] that of f. Then mean(f picked) − mean(f) = net +
luck, with luck = Σ_s π[s] F̄[s] − mean(f), what picking slots by these shares whatever stands there would
gain, and net the mean of ψ[i] = Σ_s (w[i, s] − π[s]) (f[i, s] − F̄[s]).
"""

from itertools import permutations
from math import factorial

import numpy as np
import scipy
from numpy.typing import NDArray

from selfincorrect.measure.intervals import LEVEL, Array, clustered_se
from selfincorrect.measure.scores import Row

# With fewer questions whose slots differ in grade, picks are permuted; else the test takes its normal form.
FEW = 100
DRAWS = 9_999  # seeded permutations
ALL = 5_040  # with no more permutations than these, each is looked at


COLUMNS = ("net", "net_se", "net_low", "net_high", "luck", "p_net", "p_net_worse")


def net_of_position(f: Array, w: Array, clusters: NDArray[np.generic], seed: int) -> Row:
    """Net and luck of DG-Diff, `net` with its 95 % t interval and p-values on both sides; None where there
    are no two choices.

    `f` and `w` are [n, k], by slot. p: that a permutation of the picked slots over the questions picks
    grades at least (at most) as good, which keeps how often each slot is picked and breaks what is picked
    where.
    """
    groups = len(np.unique(clusters))
    if groups < 2:
        return dict.fromkeys(COLUMNS)
    share, level = w.mean(axis=0), f.mean(axis=0)
    psi = ((w - share) * (f - level)).sum(axis=1)
    se = clustered_se(psi, clusters) * np.sqrt(groups / (groups - 1))
    half = scipy.stats.t.ppf((1 + LEVEL) / 2, groups - 1) * se if se > 1e-12 else np.nan
    values = (
        psi.mean(),
        se,
        psi.mean() - half,
        psi.mean() + half,
        share @ level - f.mean(),
        *permuted(f, w, seed),
    )
    return dict(zip(COLUMNS, values, strict=True))


def permuted(f: Array, w: Array, seed: int) -> tuple[float, float]:
    """p that permuted picks are at least, and at most, as good: all permutations of few, seeded ones of
    some, else normal.
    """
    total, n = float((f * w).sum()), len(f)
    varied = (np.ptp(f, axis=1) > 1e-12).sum()
    if varied >= FEW:
        z = (total - n * float(w.mean(axis=0) @ f.mean(axis=0))) / spread(f, w)
        return float(scipy.stats.norm.sf(z)), float(scipy.stats.norm.cdf(z))
    if n <= 7 and factorial(n) <= ALL:
        totals = np.array([(f * w[list(order)]).sum() for order in permutations(range(n))])
        return float((totals >= total - 1e-9).mean()), float((totals <= total + 1e-9).mean())
    rng = np.random.default_rng(seed)
    kinds, kind = np.unique(w, axis=0, return_inverse=True)
    gains = f @ kinds.T  # what each question would give for each kind of pick
    totals = np.array([gains[np.arange(n), rng.permutation(kind)].sum() for _ in range(DRAWS)])
    better, worse = (totals >= total - 1e-9).sum(), (totals <= total + 1e-9).sum()
    return float(better + 1) / (DRAWS + 1), float(worse + 1) / (DRAWS + 1)


def spread(f: Array, w: Array) -> float:
    """Standard deviation of the total of permuted picks: its square is n/(n−1) Σ_i Σ_s π[s] d[i, s]², for
    picks of one slot each, d[i, s] = f[i, s] − Σ_t π[t] f[i, t] − (F̄[s] − Σ_t π[t] F̄[t]).
    """
    n = len(f)
    kinds, counts = np.unique(w, axis=0, return_counts=True)
    share, gains = counts / n, f @ kinds.T
    rows, columns = gains @ share, gains.mean(axis=0)
    d = gains - rows[:, None] - (columns - columns @ share)
    return float(max(np.sqrt(n / (n - 1) * (d**2 @ share).sum()), 1e-12))
