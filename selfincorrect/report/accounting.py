"""What every stage asked of every model, each stored answer once: tokens, operations, time and price."""

from collections.abc import Iterable, Mapping

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.engines.size import Size
from selfincorrect.report.columns import COUNT, NUMBER, TEXT
from selfincorrect.report.effort import spent_operations

_SUMS = {
    "tokens_in": "tokens of prompts, each counted whole",
    "tokens_options": "tokens of the texts whose probabilities were asked for",
    "tokens_read": "tokens of both that were read: without what others had read, or a server's cache had; "
    "counted whole where that is not known",
    "tokens_cached": "tokens of prompts that servers say they had in a cache",
    "tokens_out": "tokens written",
    "tokens_thought": "of these, tokens of thoughts, where they are told apart",
}
COLUMNS = [
    Column("model", TEXT, "model that was asked"),
    Column("task", TEXT, "task"),
    Column("stage", TEXT, "stage that asked first: an answer that several rest on counts once"),
    Column("answers", COUNT, "answers of the response store"),
    *(Column(name, COUNT, text) for name, text in _SUMS.items()),
    Column("operations", NUMBER, "operations for what was read and written: 2 · parameters a token, and "
        "attention; empty where the model's size is not known"),
    Column("seconds", NUMBER, "time in which these answers came, those that come together sharing it", "s"),
    Column("cost", NUMBER, "at the configured prices: a prompt is paid once for its samples; empty without"),
]  # fmt: skip


MEASURED = ("tokens_read", "tokens_cached", "operations", "seconds", "cost")
"""Columns that are another in each run."""


def answers_of(table: pl.DataFrame, task: str, stage: str) -> pl.DataFrame:
    """The stored answers that rows rest on (columns `model`, which gave them, and `answers`), each once."""
    each = table.explode("answers", empty_as_null=False).drop_nulls("answers").unnest("answers")
    once = each.drop("samples", "tokens_own").unique(["model", "answer"], keep="first", maintain_order=True)
    return once.select(pl.lit(task).alias("task"), pl.lit(stage).alias("stage"), pl.all())


def accounting(
    answers: Iterable[pl.DataFrame],
    models: Mapping[str, Size | None],
    prices: Mapping[str, Mapping[str, float]],
) -> pl.DataFrame:
    """Rows of COLUMNS, from tables of `answers_of` in the order of the stages."""
    empty = pl.DataFrame(schema=schema_of(COLUMNS))
    tables = [table for table in answers if table.height]
    if not tables:
        return empty
    once = pl.concat(tables).unique(["model", "answer"], keep="first", maintain_order=True)
    rows = []
    for (model, task, stage), mine in once.group_by("model", "task", "stage", maintain_order=True):
        whole = pl.col("tokens_in").fill_null(0) + pl.col("tokens_options").fill_null(0)
        read = mine.with_columns(pl.coalesce("tokens_read", whole).alias("tokens_read"))
        operations = spent_operations(mine, models.get(str(model)))
        sums = {name: int(read[name].sum()) for name in _SUMS}
        rows.append(
            {
                **{"model": model, "task": task, "stage": stage, "answers": mine.height, **sums},
                "operations": operations.sum() if models.get(str(model)) else None,
                "seconds": mine["seconds"].sum() if mine["seconds"].count() else None,
                "cost": _cost(sums, prices.get(str(model))),
            }
        )
    return pl.DataFrame(rows, schema=schema_of(COLUMNS))


def _cost(sums: Mapping[str, int], price: Mapping[str, float] | None) -> float | None:
    if price is None:
        return None
    paid = sums["tokens_read"] * price["input"] + sums["tokens_cached"] * price["cached"]
    return (paid + sums["tokens_out"] * price["output"]) / 1e6
