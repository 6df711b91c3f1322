"""Tests of one cell: whether choosing is better than chance, worse, or the same, and the smallest effect
that could have been seen.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfincorrect.measure import hypothesis
from selfincorrect.measure.intervals import Array, cluster_means, clustered_se
from selfincorrect.measure.power import smallest_effect
from selfincorrect.measure.scores import Row, by_choice, is_binary, is_mixed, together

# With fewer mixed questions, the standard error is too uncertain to show that nothing is there.
FEW_FOR_EQUIVALENCE = 30
# Differences smaller than this are equivalent: one point; a tenth of a score.
MARGIN, MARGIN_SCORED = 0.01, 0.1


def significance(
    f: Array,
    c: Array,
    single: Array,
    picks: Array,
    clusters: NDArray[Any],
    valid: NDArray[np.bool_],
    asked: NDArray[Any] | None = None,
    scale: bool = False,
    ties: NDArray[np.int64] | None = None,
) -> Row:
    """p-values, the smallest effect that could have been found, and the equivalence test.

    Of `f` [m, k], the grades chosen `c` [m] (shared by `ties` candidates) and `single` (ties drawn), and
    of one seeded pick a question, `picks`. Items with the same `asked` (by default none) share one choice,
    so under H0 their grades are drawn together. Grades on a `scale` are tested as scores, however few of
    its values occur. McNemar's and Wilcoxon's tests compare with the pick, as the paper does: a pick and a
    uniform choice can change places, so their difference is symmetric under H0. The difference from the
    mean grade is not. `p_worse` looks at `valid` outputs alone: the lowest grade that the others score
    would make a bad format look like bad judgement.
    """
    n01, n10 = int((single > picks).sum()), int((single < picks).sum())
    mcnemar, binary = hypothesis.mcnemar(n01, n10), not scale and is_binary(f)
    gains = cluster_means(single - picks, clusters)
    margin = MARGIN if not scale and f.min() >= 0 and f.max() <= 1 else MARGIN_SCORED
    d = c - f.mean(axis=1)
    se = clustered_se(d, clusters)
    asked = np.arange(len(f)) if asked is None else asked
    ties = np.ones(len(f), np.int64) if ties is None else ties
    drawn, taken, shared = together(f, c, ties, asked)
    usable = by_choice(valid[:, None].astype(float), asked)[:, 0] > 0
    share = drawn * len(drawn) / len(f)  # its mean over choices is the mean over items
    ses = max(se, _se_at(margin, share, share.min(axis=1))), max(se, _se_at(margin, share, share.max(axis=1)))
    return {
        "s_gen_pick": picks.mean(), "n01": n01, "n10": n10,
        "p_randomisation": hypothesis.randomisation(drawn, taken, shared),
        "p_worse": hypothesis.randomisation(-drawn[usable], -taken[usable], shared[usable]),
        "p_mcnemar": mcnemar["asymptotic"] if binary else None,
        "p_mcnemar_midp": mcnemar["midp"] if binary else None,
        "p_mcnemar_exact": mcnemar["exact"] if binary else None,
        "p_as_printed": mcnemar["as_printed"] if binary else None,
        "p_wilcoxon": None if binary else hypothesis.wilcoxon(gains, "pratt"),
        "p_wilcoxon_drop": None if binary else hypothesis.wilcoxon(gains, "wilcox"),
        "p_tost": hypothesis.equivalence(float(d.mean()), ses, len(gains), margin)
        if is_mixed(drawn).sum() >= FEW_FOR_EQUIVALENCE
        else None,
        "mde": smallest_effect(share),
    }  # fmt: skip


def _se_at(margin: float, f: Array, extreme: Array) -> float:
    """Standard error of DG-Diff if it were `margin`, by taking the `extreme` candidate now and then and one
    at random else.

    Where few questions are mixed, a small difference and a small observed standard error come by the same
    luck; this one depends on the candidates alone. 0 where no such chooser reaches the margin.
    """
    gap = np.abs(extreme - f.mean(axis=1))
    skill = margin * len(f) / gap.sum() if gap.any() else 1.0
    if skill >= 1:
        return 0.0
    squares = ((1 - skill) * f.var(axis=1) + skill * gap**2).sum()
    return float(np.sqrt(max(squares - len(f) * margin**2, 0.0)) / len(f))
