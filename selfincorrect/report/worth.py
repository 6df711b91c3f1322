"""What a choice is worth, in sentences: the ways of choosing beside votes that take as much."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from selfincorrect.report.compute import with_cost
from selfincorrect.report.shown import labelled, task_name


def named(table: pl.DataFrame) -> pl.DataFrame:
    """Rows of COMPUTE or OVERTAKING with their `way` in one word: what it is called, and its rule."""
    rule = pl.when(pl.col("rule") != "").then(pl.format("{}, {}", "variant", "rule")).otherwise("variant")
    return labelled(table).with_columns(rule.alias("way"))


def costed(compute: pl.DataFrame) -> pl.DataFrame:
    """Rows of COMPUTE with their `way`, and their `cost` and `unit` as of `with_cost`."""
    return named(with_cost(compute))


def worth(compute: pl.DataFrame, overtaking: pl.DataFrame) -> list[str]:
    """A sentence for each model and task: what scores most, for what, and which ways overtake votes."""
    told = costed(compute).filter(~pl.col("labels_used") & pl.col("cost").is_not_null())
    sentences = []
    for (model, task), mine in told.group_by("model", "task", maintain_order=True):
        here = (pl.col("model") == model) & (pl.col("task") == task)
        votes = overtaking.filter(here & (pl.col("counted") == "shared"))
        best = mine.filter("front").sort("cost").to_dicts()[-1]
        at = f"{best['way']} of {best['j']}" if best["j"] > 1 else "a single answer"
        took = amount(best["cost"], best["unit"])
        text = f"{model} on {task_name(str(task))}: most is scored by {at}, for {took} a question"
        sentences.append(f"{text}; {_overtaken(votes, mine['n'].max())}.")
    return sentences


def _overtaken(votes: pl.DataFrame, n: object) -> str:
    if not votes.height:
        return "there are no votes to compare with"
    ahead = named(votes).filter(pl.col("budget").is_not_null()).sort("budget")
    if not ahead.height:
        return f"nothing scores more than votes that take as much, within this pool of {n}"
    parts = []
    for row in ahead.iter_rows(named=True):
        start, share = amount(row["budget"], row["unit"]), f"in {row['overtaken']:.0%} of resamples"
        parts.append(f"{row['way']} from {start} on ({ends(row)}; {share})")
    return f"more than votes that take as much is scored by {', '.join(parts)}"


def ends(row: Mapping[str, Any]) -> str:
    """The interval of the budget in a row of OVERTAKING."""
    low, high = (
        "beyond the pool" if row[end] is None else amount(row[end], row["unit"])
        for end in ("budget_low", "budget_high")
    )
    return f"95 %: {low} to {high}"


def amount(value: float, unit: str) -> str:
    """A number of operations or tokens, to three digits."""
    value = float(f"{value:.3g}") if not 1000 <= value < 999_500 else value
    for size, name in ((1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {name} {unit}"
    return f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
