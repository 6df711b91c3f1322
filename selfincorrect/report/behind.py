"""The choices behind the items of a cell, and the models that were asked for them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from selfincorrect.discriminate.choices import distinct
from selfincorrect.engines.size import Size


class Behind(NamedTuple):
    """Choices, a row for each item of a cell, and the size of the model that was asked."""

    choices: pl.DataFrame
    size: Size | None

    @property
    def asked(self) -> bool:
        return bool(self.choices["answers"].list.len().sum())


def behind(
    choices: pl.DataFrame,
    ways: Sequence[tuple[str, str | None]],
    cell: pl.DataFrame,
    models: Mapping[str, Size | None],
) -> list[Behind]:
    """The choices of each of `ways`, variants and models, that the items of a `cell` rest on.

    `choices` are rows of choices.parquet of one k. An answer that several ways rest on counts with the first.
    """
    found, counted = [], pl.Series([], dtype=pl.String)
    for variant, by in ways:
        mine = distinct(
            choices.filter((pl.col("variant") == variant) & pl.col("discriminator").eq_missing(by))
        )
        table = cell.select(pl.col("asked")).join(
            mine.select("asked", "readings", "tokens_own", "tokens_alone", "answers"),
            on="asked",
            how="left",
            maintain_order="left",
        )
        found.append(Behind(_without(table, counted), models.get(str(by))))
        counted = counted.append(_names(table)).unique()
    return found


def _names(table: pl.DataFrame) -> pl.Series:
    return table["answers"].drop_nulls().explode(empty_as_null=False).struct.field("answer")


def _without(table: pl.DataFrame, counted: pl.Series) -> pl.DataFrame:
    """The rows without the answers that are `counted` already, and without what was read for these alone."""
    if not counted.len():
        return table
    before = pl.element().struct.field("answer").is_in(counted.implode())
    own = pl.element().filter(before).struct.field("tokens_own")
    less = pl.col("answers").list.eval(own).list.sum()
    return table.with_columns(
        pl.col("tokens_own") - less,
        pl.col("tokens_alone") - less,
        pl.col("answers").list.eval(pl.element().filter(~before)),
    )
