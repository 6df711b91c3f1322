"""Tables over all cells: metrics, gradings side by side, pass@j, picked positions, and flips between two orders."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from selfincorrect.discriminate.selectors.registry import asked, with_slots
from selfincorrect.measure.cell import pass_at, slot_counts
from selfincorrect.measure.hypothesis import adjusted
from selfincorrect.measure.intervals import score_interval, share_interval

Cell = tuple[str, str]  # model, task


def in_order(table: pl.DataFrame, cells: Mapping[str, Any]) -> pl.DataFrame:
    """Rows in the order of the configuration. `cells` has the `models`, `tasks`, `k` and `variants` in order."""
    columns = {"model": "models", "task": "tasks", "k": "k", "variant": "variants"}
    places = [
        pl.col(column).replace_strict(
            {name: place for place, name in enumerate(cells[key])}, default=len(cells[key]), return_dtype=pl.Int32
        )
        for column, key in columns.items()
        if column in table.columns
    ]
    return table.sort(places, maintain_order=True)


def with_adjusted(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics` with `p_holm` and `q_bh`: p_randomisation adjusted over all choices that a model made, negatives included.

    Rules that need no model (majority, oracle, …) are no hypotheses about one, nor are cells without items: null there.
    """
    family = metrics["selector"].is_in(asked()) & (metrics["n"] > 0)
    p_values = metrics.filter(family)["p_randomisation"].to_list()
    columns = []
    for name, values in (("p_holm", adjusted(p_values, "holm")), ("q_bh", adjusted(p_values, "fdr_bh"))):
        left = iter(values)
        columns.append(pl.Series(name, [next(left) if member else None for member in family], dtype=pl.Float64))
    return metrics.with_columns(columns)


def slots_table(choices: Mapping[Cell, pl.DataFrame]) -> pl.DataFrame:
    """A row for each cell of a model's own choices and shown position: picks, their share of the valid outputs, and its 95 %
    Wilson interval.

    `choices` holds choices.parquet tables by (model, task); position 1 is shown first.
    """
    rows = []
    for (model, task), table in choices.items():
        chosen = table.filter(pl.col("selector").is_in(with_slots()))
        for (k, variant), cell in chosen.group_by("k", "variant", maintain_order=True):
            counts = slot_counts(cell, int(k))
            total = int(counts.sum())
            for slot, count in enumerate(counts.tolist()):
                low, high = share_interval(count, total)
                rows.append((model, task, k, variant, slot + 1, count, total, count / total if total else None, low, high))  # fmt: skip
    schema = {
        "model": pl.String, "task": pl.String, "k": pl.Int32, "variant": pl.String, "position": pl.Int64,
        "picked": pl.Int64, "valid": pl.Int64, "share": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64,
    }  # fmt: skip
    return _frame(rows, schema)


def flips_table(choices: Mapping[Cell, pl.DataFrame], pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """How often another sample is picked when the same candidates are shown in another order, among questions with two
    valid outputs; 95 % Wilson interval.

    `pairs` are variants that differ in their order alone. A choice by content flips never, a uniform one in 1 − 1/k.
    """
    rows = []
    for (model, task), table in choices.items():
        for first, second in pairs:
            valid = table.filter(pl.col("variant").is_in([first, second]) & pl.col("valid"))
            valid = valid.with_columns(pl.coalesce("asked", "question_id")).unique(
                ["k", "variant", "asked"], keep="first", maintain_order=True
            )
            for (k,), cell in valid.group_by("k", maintain_order=True):
                one, other = (cell.filter(pl.col("variant") == name) for name in (first, second))
                both = one.join(other, on="question_id", validate="1:1")
                flips = both.filter(pl.col("chosen_sample") != pl.col("chosen_sample_right")).height
                low, high = share_interval(flips, both.height)
                rate = flips / both.height if both.height else None
                rows.append((model, task, k, first, second, both.height, flips, rate, low, high, 1 - 1 / k))
    schema = {
        "model": pl.String, "task": pl.String, "k": pl.Int32, "variant": pl.String, "other_variant": pl.String,
        "n": pl.Int64, "flips": pl.Int64, "flip_rate": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64,
        "uniform_rate": pl.Float64,
    }  # fmt: skip
    return _frame(rows, schema)


def pass_table(
    grades: Mapping[Cell, pl.DataFrame], clusters: Mapping[str, pl.DataFrame], scored: Collection[str] = ()
) -> pl.DataFrame:
    """pass@j for every j up to n of each pool graded 0 or 1, with 95 % intervals clustered by question.

    `clusters` holds, by task, `question_id` and `cluster`; `scored` are the tasks whose grades are on a scale. Of a pool that a
    judge graded in part, the questions that have at least j grades.
    """
    rows = []
    for (model, task), table in grades.items():
        known = table.drop_nulls("grade")
        if task in scored or not known.height or not known["grade"].is_in([0.0, 1.0]).all():
            continue
        pool = known.group_by("question_id", maintain_order=True).agg(pl.col("grade").sum(), pl.len().alias("n"))
        pool = pool.join(clusters[task], on="question_id", validate="1:1")
        for j in range(1, max(pool["n"].to_list()) + 1):
            enough = pool.filter(pl.col("n") >= j)
            values = np.array([pass_at(round(right), n, j) for right, n in enough.select("grade", "n").iter_rows()])
            interval = score_interval(values, enough["cluster"].to_numpy())
            rows.append((model, task, j, max(pool["n"].to_list()), enough.height, values.mean(), *interval))
    schema = {
        "model": pl.String, "task": pl.String, "j": pl.Int64, "n": pl.Int64, "questions": pl.Int64,
        "pass_at_j": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64,
    }  # fmt: skip
    return _frame(rows, schema)


def differences_table(grades: Mapping[Cell, pl.DataFrame]) -> pl.DataFrame:
    """Every candidate on which two ways of grading differ: what each read and the grade it gave, beside the primary one."""
    rows = []
    for (model, task), table in grades.items():
        others = [name.removeprefix("grade_") for name in table.columns if name.startswith("grade_")]
        for other in others:
            differing = table.filter(pl.col("grade") != pl.col(f"grade_{other}"))
            columns = ("question_id", "sample", "grading", "extracted", "grade", f"extracted_{other}", f"grade_{other}")
            rows += [(model, task, *row[:5], other, *row[5:]) for row in differing.select(columns).iter_rows()]
    schema = {
        "model": pl.String, "task": pl.String, "question_id": pl.String, "sample": pl.Int32,
        "grading": pl.String, "extracted": pl.String, "grade": pl.Float64,
        "other_grading": pl.String, "other_extracted": pl.String, "other_grade": pl.Float64,
    }  # fmt: skip
    return _frame(rows, schema)


def _frame(rows: Sequence[tuple[Any, ...]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schema), orient="row").with_columns(cs.float().fill_nan(None))


def percent(value: float | None, sign: bool = False) -> str:
    """A fraction in percent with one decimal, as in reports; an en dash for none."""
    return score(value, "percent", sign)


def score(value: float | None, unit: str, sign: bool = False) -> str:
    """A score as in reports: in percent with one decimal, or a grade with two; an en dash for none."""
    if value is None:
        return "–"
    text = f"{100 * value:+.1f}" if unit == "percent" else f"{value:+.2f}"
    return text if sign else text.removeprefix("+")


def numbered_notes(metrics: pl.DataFrame) -> dict[str, int]:
    """The different notes of the cells, numbered from 1 in order of appearance."""
    return {text: number for number, text in enumerate(filter(None, metrics["note"].unique(maintain_order=True)), 1)}


def summary_lines(metrics: pl.DataFrame) -> list[str]:
    """The metrics as text for a terminal: a header, a line a cell, and below them each different note once."""
    header = (
        "model",
        "task",
        "grading",
        "k",
        "variant",
        "n",
        "mixed",
        "S_gen",
        "S_disc",
        "DG-Diff",
        "95% CI",
        "p",
        "note",
    )
    notes = numbered_notes(metrics)
    body = [
        (
            row["model"], row["task"], row["grading"], str(row["k"]), row["variant"], str(row["n"]), str(row["mixed_questions"]),
            *(score(row[name], row["unit"]) for name in ("s_gen", "s_disc")), score(row["dg_diff"], row["unit"], True),
            "–" if row["ci_low"] is None else
            f"[{score(row['ci_low'], row['unit'], True)}, {score(row['ci_high'], row['unit'], True)}]",
            f"{row['p_randomisation']:.3f}", f"({notes[row['note']]})" if row["note"] else "",
        )
        for row in metrics.iter_rows(named=True)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if column in ("model", "task", "grading", "variant") else text.rjust(width)
            for column, text, width in zip(header, row, widths, strict=True)
        ).rstrip()
        for row in (header, *body)
    ]
    explained = "Scores in percent (grades of MT-Bench from 1 to 10); p: one-sided randomisation test" + (
        "; notes:" if notes else "."
    )
    return [*lines, "", explained, *(f"({number}) {text}" for text, number in notes.items())]
