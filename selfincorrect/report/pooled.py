"""Skill over models and tasks: what many cells say together."""

from collections.abc import Collection, Iterator
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.measure.pooled import JOINT, STATISTICS, joint_p, random_effects
from selfincorrect.report.columns import VARIANT, K
from selfincorrect.report.contrasts import cells_of
from selfincorrect.report.shown import called
from selfincorrect.report.wanted import Cell

COLUMNS = [
    Column("model", pl.String, "model, whose tasks are pooled; empty: models are pooled"),
    Column("task", pl.String, "task, whose models are pooled; empty: tasks are pooled"),
    K, VARIANT,
    Column("discriminator", pl.String, "model that was asked about answers of others; empty: each about its "
        "own, or none was"),
    *STATISTICS, JOINT,
]  # fmt: skip
# What is pooled: everything, the tasks of each model, the models of each task.
_OVER = ((), ("model",), ("task",))


def groups_of(metrics: pl.DataFrame) -> Iterator[tuple[dict[str, str | int], pl.DataFrame]]:
    """The cells with a skill that are pooled, at least two, by what they share: one k and variant each, and
    one model that is asked, or each about its own answers.

    Those that cannot speak about discrimination, such as picks of one position, are left out.
    """
    known = metrics.filter(pl.col("skill").is_not_null() & pl.col("informative")).with_columns(
        pl.when(pl.col("discriminator") != pl.col("model")).then("discriminator").alias("other")
    )
    names = ("k", "variant", "discriminator")
    seen = set()
    for over in _OVER:
        for key, cells in known.group_by(*over, "k", "variant", "other", maintain_order=True):
            members = frozenset(cells.select(Cell._fields).iter_rows())
            if len(members) > 1 and members not in seen:
                seen.add(members)
                yield dict(zip((*over, *names), key, strict=True)), cells


def pooled_table(metrics: pl.DataFrame, items: pl.DataFrame, uncompared: Collection[str]) -> pl.DataFrame:
    """Rows of COLUMNS: everything together, then by model and by task, for each k and variant.

    Choices by the selectors of `uncompared` are left out.
    """
    by_cell = cells_of(items)
    rows = []
    for shared, cells in groups_of(metrics.filter(~pl.col("selector").is_in(list(uncompared)))):
        row = shared | random_effects(
            *(cells[name].to_list() for name in ("skill", "skill_low", "skill_high"))
        )
        distinct = cells["task"].n_unique() == cells.height
        named = [by_cell[Cell(*each)] for each in cells.select(Cell._fields).iter_rows()]
        rows.append(row | {"p_joint": joint_p(named) if distinct else None})
    return pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row")


def findings(pooled: pl.DataFrame) -> list[str]:
    """What all cells of each k and variant say together, in words."""
    whole = pooled.filter(pl.col("model").is_null() & pl.col("task").is_null())
    return [_said(row) for row in whole.iter_rows(named=True)]


def _said(row: dict[str, Any]) -> str:
    ends = f"[{row['skill_low']:.2f}, {row['skill_high']:.2f}]"
    way = called(row["variant"], row["discriminator"], "")
    line = f"Over {row['cells']} cells (k = {row['k']}, {way}): mean skill {row['skill']:.2f} {ends}"
    if row["next_low"] is not None:
        line += f"; in a further such cell between {row['next_low']:.2f} and {row['next_high']:.2f}"
    return line + "."
