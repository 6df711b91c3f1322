"""Numbers as readers see them, in a terminal and in the report: percent with one decimal, grades with two,
an en dash for nothing.
"""

from collections.abc import Callable
from typing import Any

import polars as pl

from selfincorrect.columns import Column
from selfincorrect.measure.columns import METRICS, PROBABILITY, SCORE, SHARE
from selfincorrect.measure.discernment import ends

NOTHING = "–"
TASK_NAMES = {
    "gsm8k": "GSM8K", "triviaqa": "TriviaQA", "capitals": "Capitals", "mt_bench": "MT-Bench",
    "truthfulqa": "TruthfulQA",
    "constrained_generation": "Constrained generation", "acronym_generation": "Acronyms",
    "sentiment_reversal": "Sentiment reversal",
}  # fmt: skip
SOME_MIXED = 20  # with fewer mixed questions, a t interval is a little too narrow


def task_name(task: str) -> str:
    """What readers know a task as."""
    return TASK_NAMES.get(task, task)


def called(variant: str, discriminator: str | None, model: str) -> str:
    """What a way of choosing is called: by its variant, and by who is asked if that is another model."""
    return variant if discriminator in (None, model) else f"{variant} by {discriminator}"


def labelled(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with what ways of choosing are `called` in the place of their variants."""
    sides = [side for side in ("", "other_") if f"{side}discriminator" in table.columns]
    return table.with_columns(
        pl.when(pl.col(f"{side}discriminator") != pl.col(f"{side}model"))
        .then(pl.format("{} by {}", f"{side}variant", f"{side}discriminator"))
        .otherwise(f"{side}variant")
        .alias(f"{side}variant")
        for side in sides
    )


def knowing(selectors: pl.DataFrame) -> list[str]:
    """The ways, as they are called, that use the grades; of the table `selectors`."""
    return labelled(selectors).filter("labels_used")["variant"].unique(maintain_order=True).to_list()


def percent(value: float | None, sign: bool = False) -> str:
    """A fraction in percent with one decimal."""
    return score(value, "percent", sign)


def score(value: float | None, unit: str, sign: bool = False) -> str:
    """A score in percent with one decimal, or a grade with two."""
    if value is None:
        return NOTHING
    text = f"{100 * value:+.1f}" if unit == "percent" else f"{value:+.2f}"
    return text if sign else text.removeprefix("+")


def probability(value: float | None) -> str:
    """A p-value with three decimals; what would be shown as 0 is not."""
    if value is None:
        return NOTHING
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def interval(row: dict[str, Any]) -> str:
    """The 95 % interval of DG-Diff; of few mixed questions the exact one that skill gives on the pool, in its
    place, and of some beside it.
    """
    own = interval_of(row["unit"], *ends(row))
    if row["ci_low"] is not None and row["mixed_questions"] < SOME_MIXED and row["exact_low"] is not None:
        return f"{own} exact {interval_of(row['unit'], row['exact_low'], row['exact_high'])}"
    return own


def interval_of(unit: str, low: float | None, high: float | None) -> str:
    """An interval of scores or differences."""
    return NOTHING if low is None else f"[{score(low, unit, True)}, {score(high, unit, True)}]"


def position(row: dict[str, Any]) -> str:
    """The position picked most, and its share."""
    return NOTHING if row["top_slot"] is None else f"{row['top_slot']} ({100 * row['top_slot_share']:.0f} %)"


def sided(better: str, worse: str) -> Callable[[dict[str, Any]], str]:
    """The p-value on the side of the difference, of the columns with those of both sides."""
    return lambda row: probability(row[worse if (row["dg_diff"] or 0.0) < 0 else better])


# Columns that are shown otherwise than their unit says.
_OWN: dict[str, Callable[[dict[str, Any]], str]] = {
    "dg_diff": lambda row: score(row["dg_diff"], row["unit"], True), "ci_low": interval, "top_slot": position,
    "p_better": sided("p_better", "p_less"), "p_holm": sided("p_holm", "p_worse_holm"),
}  # fmt: skip


def text(column: Column, row: dict[str, Any]) -> str:
    """What a row of the metrics shows of a column."""
    value = row[column.name]
    if column.name in _OWN:
        return _OWN[column.name](row)
    if column.unit == SCORE:
        return score(value, row["unit"])
    if value is None:
        return NOTHING
    formats = {SHARE: percent, PROBABILITY: probability}
    return formats.get(column.unit, str)(value)


def columns_of(place: str) -> list[Column]:
    """The columns of the metrics that a place shows, in order."""
    return [column for column in METRICS if place in column.shown]


def numbered_notes(metrics: pl.DataFrame) -> dict[str, int]:
    """The different notes of the cells, numbered from 1 in order of appearance."""
    return {
        note: number
        for number, note in enumerate(filter(None, metrics["note"].unique(maintain_order=True)), 1)
    }


def findings_of(metrics: pl.DataFrame) -> list[str]:
    """What each cell that can speak about discrimination shows, in words, where it shows something."""
    shown = metrics.filter((pl.col("finding") != "") & (pl.col("verdict") != "undecided"))
    return [
        f"{model} on {task}, k = {k}, {variant}: it {finding}."
        for model, task, k, variant, finding in shown.select(
            "model", "task", "k", "variant", "finding"
        ).iter_rows()
    ]
