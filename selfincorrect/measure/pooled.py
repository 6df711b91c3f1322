"""One number of many cells: the random-effects mean of their skill, and a joint test of their choices."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import scipy

from selfincorrect.columns import Column
from selfincorrect.measure.hypothesis import randomisation
from selfincorrect.measure.intervals import LEVEL, Array
from selfincorrect.measure.scores import Row, plain, together

STATISTICS = [
    Column("cells", pl.Int64, "cells with a skill that are `informative`"),
    Column("skill", pl.Float64, "random-effects mean of their skill, weighted by the width of exact "
        "intervals"),
    Column("skill_low", pl.Float64, "lower end of its 95 % interval by Hartung and Knapp"),
    Column("skill_high", pl.Float64, "its upper end"),
    Column("tau2", pl.Float64, "τ², the variance of skill between cells, by Paule and Mandel"),
    Column("next_low", pl.Float64, "lower end of the 95 % prediction interval, the skill in a further such "
        "cell; from 3 cells"),
    Column("next_high", pl.Float64, "its upper end"),
]  # fmt: skip
JOINT = Column(
    "p_joint", pl.Float64, "one-sided, exact: that uniform choices in all cells together score at least as "
    "much; only of cells with distinct questions. It takes positions' luck for skill", "probability",
)  # fmt: skip


def random_effects(skill: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Row:
    """The columns of STATISTICS for cells whose skill has these 95 % intervals; at least 2.

    The variance of each is (width / 3.92)², the interval of the mean has cells − 1 degrees of freedom
    (Hartung and Knapp 2001), τ² is Paule and Mandel's, and the prediction interval is mean ± t · √(τ² + SE²)
    with cells − 2 (Higgins, Thompson and Spiegelhalter 2009). Ends are kept inside [−1, 1].
    """
    from statsmodels.stats.meta_analysis import combine_effects  # two seconds, needed by one job of a run

    count = len(skill)
    variance = (
        np.maximum((np.asarray(high) - np.asarray(low)) / (2 * scipy.stats.norm.ppf((1 + LEVEL) / 2)), 1e-4)
        ** 2
    )
    with np.errstate(divide="ignore"):  # of its I², which is of no use here, where all cells agree
        found = combine_effects(np.asarray(skill, dtype=float), variance, method_re="iterated")
    mean, tau2 = float(found.mean_effect_re), max(float(found.tau2), 0.0)
    se = float(found.sd_eff_w_re_hksj)
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, count - 1)) * se
    further = (
        float(scipy.stats.t.ppf((1 + LEVEL) / 2, count - 2)) * np.hypot(np.sqrt(tau2), se)
        if count > 2
        else np.nan
    )
    ends = {
        "skill_low": mean - half, "skill_high": mean + half,
        "next_low": mean - further, "next_high": mean + further,
    }  # fmt: skip
    inside = {name: float(np.clip(value, -1, 1)) for name, value in ends.items()}
    row = {"cells": count, "skill": mean, "tau2": tau2, **inside}
    return {name: plain(value) for name, value in row.items()}


def joint_p(cells: Sequence[pl.DataFrame]) -> float:
    """p of a total grade over all `cells` at least as large, if every choice were a uniform draw.

    Each cell is rows of `items.COLUMNS`, all with the same k. Exact as `hypothesis.randomisation` is.
    """
    parts = []
    for cell in cells:
        known = cell.drop_nulls("chosen_grade")
        f = np.array(known["grades"].to_list(), dtype=float)
        ties = known["shared"].list.len().fill_null(1).to_numpy().astype(np.int64)
        parts.append(together(f, known["chosen_grade"].to_numpy(), ties, known["asked"].to_numpy()))
    grades: Array = np.concatenate([part.grades for part in parts])
    chosen, shared = (np.concatenate([part[place] for part in parts]) for place in (1, 2))
    return randomisation(grades, chosen, shared)
