"""Contrasts: how the DG-Diffs of two cells differ on the questions that both have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.columns import Column
from selfincorrect.measure import hypothesis
from selfincorrect.measure.intervals import Array, cluster_sums, clustered_se, interval
from selfincorrect.measure.scores import Row, is_binary, plain

MCNEMAR, SIGN_FLIP = "mcnemar", "sign-flip"


def _both(name: str) -> list[Column]:
    return [
        Column(f"{side}{name}", pl.Float64, f"`{name}` of {words} on these questions", "score")
        for side, words in (("", "the first"), ("other_", "the other"))
    ]


STATISTICS = [
    Column("n", pl.Int64, "questions (items) that both cells have, graded"),
    Column("clusters", pl.Int64, "groups of these that are not independent"),
    Column("same_pool", pl.Boolean, "whether the candidates of both have the same grades in each question"),
    *_both("s_disc"),
    *_both("dg_diff"),
    Column("difference", pl.Float64, "`dg_diff` − `other_dg_diff`: of one pool the same as the difference of "
        "`s_disc`", "score"),
    Column("se", pl.Float64, "its standard error, paired and clustered", "score"),
    Column("ci_low", pl.Float64, "lower end of its 95 % t interval; empty where nothing varies", "score"),
    Column("ci_high", pl.Float64, "its upper end", "score"),
    Column("gained", pl.Int64, "questions in which the first chose the better grade, above its pool's mean"),
    Column("lost", pl.Int64, "questions in which the other did"),
    Column("test", pl.String, "`mcnemar`: mid-p, of one pool graded 0 or 1 without shared choices; else "
        "`sign-flip`: the differences of clusters change their signs"),
    Column("p", pl.Float64, "two-sided: that the difference is at least as large by chance", "probability"),
]  # fmt: skip


def contrast(items: pl.DataFrame, other: pl.DataFrame) -> Row:
    """How the choices of `items` differ from those of `other`: the columns of STATISTICS.

    Both are rows of `items.COLUMNS` of one cell each. Of questions that both have, the difference is the mean
    of (c − p) − (c' − p'), c the grade of the choice and p the mean of its candidates'.
    """
    columns = ["question_id", "asked", "cluster", "grades", "shared", "mean_grade", "chosen_grade"]
    both = items.select(columns).join(other.select(columns), on="question_id", validate="1:1")
    both = both.drop_nulls(["chosen_grade", "chosen_grade_right"])
    if not both.height:
        return {"n": 0, "clusters": 0}
    first, second = (
        (both[f"chosen_grade{side}"] - both[f"mean_grade{side}"]).to_numpy() for side in ("", "_right")
    )
    clusters, difference = both["cluster"].to_numpy(), first - second
    same = bool((both["grades"] == both["grades_right"]).all())
    low, high = interval(difference, clusters)
    gained, lost = int((difference > 1e-9).sum()), int((difference < -1e-9).sum())
    row = {
        "n": both.height, "clusters": both["cluster"].n_unique(), "same_pool": same,
        "s_disc": both["chosen_grade"].mean(), "other_s_disc": both["chosen_grade_right"].mean(),
        "dg_diff": first.mean(), "other_dg_diff": second.mean(),
        "difference": difference.mean(), "se": clustered_se(difference, clusters),
        "ci_low": low, "ci_high": high, "gained": gained, "lost": lost,
    }  # fmt: skip
    if same and _alone(both):
        row |= {"test": MCNEMAR, "p": two_sided_mcnemar(gained, lost)}
    else:
        row |= {"test": SIGN_FLIP, "p": sign_flip(difference, clusters)}
    return {name: plain(value) for name, value in row.items()}


def _alone(both: pl.DataFrame) -> bool:
    """Whether each choice is of one candidate, right or wrong, and shared with no other item."""
    single = all(both[name].null_count() == both.height for name in ("shared", "shared_right"))
    apart = both["asked"].n_unique() == both["asked_right"].n_unique() == both.height
    return single and apart and is_binary(np.array(both["grades"].to_list(), dtype=float))


def two_sided_mcnemar(gained: int, lost: int) -> float:
    """McNemar's mid-p on both sides: 2·P(X > m) + P(X = m) for X ~ Bin(gained + lost, ½) and m the larger."""
    return min(2 * hypothesis.mcnemar(max(gained, lost), min(gained, lost))["midp"], 1.0)


def sign_flip(difference: Array, clusters: NDArray[Any]) -> float:
    """p on both sides that the total of `difference` [m] is as far from 0 if each cluster's sign is a coin's.

    Exact where the values lie on a grid, else by seeded draws, as `hypothesis.randomisation` does it.
    """
    sums = np.round(cluster_sums(difference, clusters), 12)
    side = -1.0 if sums.sum() < 0 else 1.0
    return min(2 * hypothesis.randomisation(np.column_stack([-sums, sums]), side * sums), 1.0)


def said(rows: Sequence[Row]) -> list[Row]:
    """Contrasts that were asked for together, with `p_holm` over them and a `verdict` at 5 % of that."""
    known = [row["p"] for row in rows if row["n"]]
    holm = iter(hypothesis.adjusted(known, "holm"))
    judged = []
    for row in rows:
        p = next(holm) if row["n"] else None
        verdict = "undecided"
        if p is not None and p <= hypothesis.ALPHA:
            verdict = "better" if row["difference"] > 0 else "worse"
        judged.append({**row, "p_holm": p, "verdict": verdict})
    return judged
