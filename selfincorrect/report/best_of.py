"""Best of j candidates for every j, by the ways of choosing of which it is exact."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.measure.best_of import best_of, compared_of, majority_of
from selfincorrect.measure.intervals import Array, score_interval
from selfincorrect.measure.readings import chances
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, VARIANT

COLUMNS = [
    MODEL, TASK, VARIANT, DISCRIMINATOR,
    Column("j", COUNT, "candidates that are chosen among, any j of `n`"),
    Column("n", COUNT, "candidates that have scores: the largest k"),
    Column("questions", COUNT, "questions whose candidates all have a grade"),
    Column("score", NUMBER, "expected grade of the choice among j of the n candidates, drawn at random: "
        "exact, of votes over all subsets up to 10,000", "score"),
    Column("ci_low", NUMBER, "lower end of its clustered 95 % interval", "score"),
    Column("ci_high", NUMBER, "upper end", "score"),
]  # fmt: skip


def best_of_table(
    items: pl.DataFrame,
    grades: Mapping[tuple[str, str], pl.DataFrame],
    pointwise: Sequence[str],
    votes: Sequence[str],
    compared: Sequence[str],
    choices: Mapping[tuple[str, str], pl.DataFrame],
) -> pl.DataFrame:
    """Rows of COLUMNS, from rows of per_question at the largest k of each model and task.

    Of the variants `pointwise`, whose score of a candidate is its own, of `votes`, by normal forms, and
    of those in which each candidate is `compared` with each, by the readings of their `choices`.
    """
    rows: list[tuple[Any, ...]] = []
    largest = items.filter(pl.col("k") == pl.col("k").max().over("model", "task"))
    known = largest.filter(pl.col("grades").list.eval(pl.element().is_not_null()).list.all())
    for (model, task, variant, by), cell in known.group_by("model", "task", *WAY, maintain_order=True):
        if variant in pointwise:
            scored = cell.select("scores", "grades").drop_nulls("scores")
            values = [best_of(*row) for row in scored.iter_rows()] if scored.height == cell.height else []
        elif variant in votes:
            forms = _forms(cell, grades[str(model), str(task)])
            values = [majority_of(*row) for row in zip(forms, cell["grades"].to_list(), strict=True)]
        elif variant in compared:
            values = _compared(cell, choices[str(model), str(task)])
        else:
            continue
        for place, column in enumerate(np.array(values).T, 1):
            interval = score_interval(column, cell["cluster"].to_numpy())
            told = len(values[0]), cell.height, column.mean()
            rows.append((model, task, variant, by, place, *told, *interval))
    return pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row").fill_nan(None)


def _compared(cell: pl.DataFrame, choices: pl.DataFrame) -> list[Array]:
    """What a cell scores that compares each with each; nothing where a comparison is missing."""
    about = cell.select("k", *WAY).row(0)
    mine = choices.filter(
        pl.all_horizontal(
            pl.col(name).eq_missing(value) for name, value in zip(("k", *WAY), about, strict=True)
        )
    )
    told = cell.join(mine.select("question_id", "readings"), on="question_id", maintain_order="left")
    found = []
    for grades, how, readings in told.select("grades", "how", "readings").iter_rows():
        chance = chances(readings or [], len(grades))
        if how == "decided":
            chance = np.full_like(chance, 0.5)
        if np.isnan(chance[~np.eye(len(grades), dtype=bool)]).any():
            return []
        found.append(compared_of(chance, grades))
    return found


def _forms(items: pl.DataFrame, grades: pl.DataFrame) -> list[list[str | None]]:
    """The normal forms of the candidates of each item, by sample."""
    k = items["k"].item(0)
    pool = grades.filter(pl.col("sample") < k).sort("question_id", "sample")
    forms = dict(pool.group_by("question_id", maintain_order=True).agg("extracted").iter_rows())
    return [forms[question] for question in items["question_id"]]
