"""The stored answers that a row of a table rests on: the account that it carries beside what it says."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import polars as pl

from selfincorrect.columns import Column
from selfincorrect.engines.spent import Spent

_STRUCT: dict[str, Any] = {
    "answer": pl.String, "samples": pl.List(pl.List(pl.Int32)), "tokens_own": pl.Int32, "tokens_in": pl.Int32,
    "tokens_options": pl.Int32, "tokens_read": pl.Int32, "tokens_cached": pl.Int32, "tokens_out": pl.Int32,
    "tokens_thought": pl.Int32, "seconds": pl.Float64,
}  # fmt: skip
ANSWERS = Column(
    "answers",
    pl.List(pl.Struct(_STRUCT)),
    "the stored answers that it rests on: how the digest begins that each is stored under, of choices for "
    "each slot shown the `samples` that it is about, and what it took: tokens of its prompt and its options, "
    "of these those that are its own by the prompt (within its query by characters), were read for it alone, "
    "or found in a server's cache, tokens written, of which thoughts, and its share of the time",
)


MEASURED = ("tokens_read", "tokens_cached", "seconds")
"""Fields that are another in each run: they depend on what was asked together, and on the machine."""


def comparable(table: pl.DataFrame) -> pl.DataFrame:
    """A table without what the answers that it rests on took in this run alone."""
    if table.schema.get("answers") != ANSWERS.kind:
        return table
    kept = pl.struct(pl.element().struct.field(*(name for name in _STRUCT if name not in MEASURED)))
    return table.with_columns(pl.col("answers").list.eval(kept))


def rows(
    spent: Iterable[Spent], own: int | None = None, samples: Iterable[Iterable[int]] | None = None
) -> list[dict[str, Any]]:
    """The entries of a row's ANSWERS: `spent` on what says something about these `samples`, slot by slot.

    `own` are the tokens of its prompt that nothing else begins with.
    """
    about = None if samples is None else [sorted(each) for each in samples]
    return [
        {**asdict(each), "samples": about, "tokens_own": 0 if place and own is not None else own}
        for place, each in enumerate(spent)
    ]


def part(tokens: int | None, text: str, start: int, end: int | None = None) -> int | None:
    """About how many of a text's `tokens` stand between two of its characters."""
    if tokens is None or not text:
        return tokens
    return round(tokens * max((len(text) if end is None else end) - max(start, 0), 0) / len(text))
