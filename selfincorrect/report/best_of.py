"""Best of j candidates for every j, by the ways of choosing of which it is exact."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.measure.intervals import score_interval
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, VARIANT
from selfincorrect.report.curves import Curve

COLUMNS = [
    MODEL, TASK, VARIANT, DISCRIMINATOR,
    Column("j", COUNT, "candidates that are chosen among, of `n`: each j up to 32, and some beyond"),
    Column("n", COUNT, "candidates that have scores: the largest k"),
    Column("questions", COUNT, "questions whose candidates all have a grade"),
    Column("score", NUMBER, "expected grade of the choice among j of the n candidates, drawn at random: "
        "exact, of votes and comparisons over all subsets up to 10,000", "score"),
    Column("ci_low", NUMBER, "lower end of its clustered 95 % interval", "score"),
    Column("ci_high", NUMBER, "upper end", "score"),
]  # fmt: skip


def best_of_table(curves: Iterable[Curve]) -> pl.DataFrame:
    """Rows of COLUMNS, of the curves that are exact and ask all that their variants ask."""
    rows: list[tuple[Any, ...]] = []
    for curve in curves:
        if curve.rule or not curve.exact:
            continue
        about = curve.model, curve.task, curve.variant, curve.discriminator
        for place, j in enumerate(curve.many):
            column = curve.scores[:, place]
            told = j, curve.n, len(column), column.mean()
            rows.append((*about, *told, *score_interval(column, curve.clusters)))
    return pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row").fill_nan(None)
