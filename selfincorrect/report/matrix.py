"""Who chooses well among whose answers: generators by the models that were asked about their pools."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, TEXT, VARIANT, K
from selfincorrect.report.contrasts import cells_of
from selfincorrect.report.wanted import Cell

_FROM_METRICS = {
    "unit": Column("unit", TEXT, "what scores are, as of metrics"),
    "s_gen": Column("s_gen", NUMBER, "generation score of the pool", "score"),
    "mixed_questions": Column("mixed_questions", COUNT, "mixed questions"),
    "informative": Column("informative", pl.Boolean, "whether it can speak about discrimination"),
    "dg_diff": Column("dg_diff", NUMBER, "DG-Diff", "score"),
    "ci_low": Column("ci_low", NUMBER, "lower end of its 95 % interval", "score"),
    "ci_high": Column("ci_high", NUMBER, "upper end", "score"),
    "p_comp": Column("p_comp", NUMBER, "probability that of two candidates the better one scores higher",
        "probability"),
    "p_comp_low": Column("p_comp_low", NUMBER, "lower end of its 95 % interval", "probability"),
    "p_comp_high": Column("p_comp_high", NUMBER, "upper end", "probability"),
    "skill": Column("skill", NUMBER, "how often it takes a best answer where it would otherwise draw one; "
        "comparable over pools"),
    "skill_low": Column("skill_low", NUMBER, "lower end of its exact 95 % interval"),
    "skill_high": Column("skill_high", NUMBER, "upper end"),
    "net": Column("net", NUMBER, "gain beyond a preference for positions", "score"),
    "p_holm": Column("p_holm", NUMBER, "that it is better, corrected for all cells", "probability"),
    "p_worse_holm": Column("p_worse_holm", NUMBER, "that it is worse, likewise", "probability"),
}  # fmt: skip
COLUMNS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("own", pl.Boolean, "whether the model was asked about its own answers"),
    *_FROM_METRICS.values(),
    Column("judged", COUNT, "candidates, graded right or wrong, with a verdict: a probability that they are "
        "right, told of each for itself"),
    Column("true_positive", NUMBER, "mean verdict on the right ones of these", "share"),
    Column("false_positive", NUMBER, "mean verdict on the wrong ones", "share"),
    Column("precision", NUMBER, "share of right ones, weighted by verdict", "share"),
    Column("base", NUMBER, "share of right ones", "share"),
    Column("verifier_gain", NUMBER, "`precision` − `base`", "share"),
]  # fmt: skip


def matrix_table(metrics: pl.DataFrame, items: pl.DataFrame, verifying: Sequence[str]) -> pl.DataFrame:
    """Rows of COLUMNS, one for each cell in which a model was asked, in the order of `metrics`.

    `items` are rows of per_question; the variants `verifying` say of each candidate for itself how probable
    it is that it is right. What a model said of its own answers when it wrote them stands beside what others
    were asked about them.
    """
    cells = cells_of(items)
    asked = pl.col("discriminator").is_not_null()
    rows = []
    for row in metrics.filter(asked.any().over("variant")).iter_rows(named=True):
        cell = Cell(*(row[name] for name in Cell._fields))
        judged = cells[cell] if cell.variant in verifying and cell in cells else None
        rows.append(
            {
                **cell._asdict(),
                "discriminator": cell.discriminator or cell.model,
                "own": cell.own,
                **{name: row[name] for name in _FROM_METRICS},
                **(rates(judged) if judged is not None else {}),
            }
        )
    return pl.DataFrame(rows, schema=schema_of(COLUMNS))


def rates(items: pl.DataFrame) -> dict[str, Any]:
    """How the verdicts of a cell, its scores, agree with grades of 0 and 1; nothing where grades are others.

    Singhi et al. 2025 (arXiv 2504.01005) for the rates; a verdict counts by its probability.
    """
    told = items.select("grades", "scores").explode("grades", "scores").drop_nulls()
    grades, verdicts = (told[name].to_numpy().astype(float) for name in ("grades", "scores"))
    if not np.isin(grades, (0.0, 1.0)).all() or not len(grades):
        return {}
    right = grades == 1.0
    precision = float(verdicts[right].sum() / verdicts.sum()) if verdicts.sum() else None
    return {
        "judged": len(grades),
        "true_positive": float(verdicts[right].mean()) if right.any() else None,
        "false_positive": float(verdicts[~right].mean()) if (~right).any() else None,
        "precision": precision,
        "base": float(right.mean()),
        "verifier_gain": None if precision is None else precision - float(right.mean()),
    }
