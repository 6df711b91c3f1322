"""Tables over all cells: metrics, gradings side by side, pass@j, picked positions, and flips between two
orders.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
import polars as pl
import polars.selectors as cs

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.discriminate.choices import distinct, named
from selfincorrect.discriminate.selectors.registry import askers, owned, with_slots
from selfincorrect.measure.confidence import accuracy_by_margin
from selfincorrect.measure.hypothesis import adjusted
from selfincorrect.measure.intervals import score_interval, share_interval
from selfincorrect.measure.positions import positioned, slot_counts
from selfincorrect.measure.scores import pass_at
from selfincorrect.report.columns import COVERAGE, DIFFERENCES, FLIPS, PASS_AT, SLOTS

Pair = tuple[str, str]  # model, task


def in_order(table: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Rows in the order of the configuration. `settings` has the `models`, `tasks`, `k` and `variants` in
    order.
    """
    columns = {"model": "models", "task": "tasks", "k": "k", "variant": "variants"}
    own = [pl.col("discriminator").ne_missing(pl.col("model"))] if "discriminator" in table.columns else []
    places = [
        pl.col(column).replace_strict(
            {name: place for place, name in enumerate(settings[key])},
            default=len(settings[key]),
            return_dtype=pl.Int32,
        )
        for column, key in [*columns.items(), ("discriminator", "models")]
        if column in table.columns
    ]
    return table.sort([*places[:-1], *own, *places[-1:]] if own else places, maintain_order=True)


def with_adjusted(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics` with `p_holm` and `q_bh`: `p_better` adjusted over all choices that rest on what a model
    says, negatives included; and `p_worse_holm`, `p_less` likewise.

    Rules that need no model (majority, oracle, …) are no hypotheses about one, nor are cells without
    items: null there.
    """
    asked = metrics["selector"].is_in([*askers(), *owned()]) | metrics["discriminator"].is_not_null()
    family = asked & (metrics["n"] > 0)
    columns = []
    wanted: list[tuple[str, str, Literal["holm", "fdr_bh"]]] = [
        ("p_holm", "p_better", "holm"),
        ("p_worse_holm", "p_less", "holm"),
        ("q_bh", "p_better", "fdr_bh"),
    ]
    for name, of, how in wanted:
        left = iter(adjusted(metrics.filter(family)[of].to_list(), how))
        columns.append(
            pl.Series(name, [next(left) if member else None for member in family], dtype=pl.Float64)
        )
    return metrics.with_columns(columns)


def slots_table(choices: Mapping[Pair, pl.DataFrame]) -> pl.DataFrame:
    """A row for each cell of a model's own choices and shown position: picks, their share of the valid
    outputs, and its 95 % Wilson interval.

    `choices` holds choices.parquet tables by (model, task); position 1 is shown first.
    """
    rows = []
    for (model, task), table in choices.items():
        chosen = table.filter(pl.col("selector").is_in(with_slots()))
        for (k, *way), cell in chosen.group_by("k", *WAY, maintain_order=True):
            if not positioned(cell, int(k)).height:
                continue
            counts = slot_counts(cell, int(k))
            total = int(counts.sum())
            for slot, count in enumerate(counts.tolist()):
                low, high = share_interval(count, total)
                rows.append((model, task, k, *way, slot + 1, count, total,
                count / total if total else None, low, high))  # fmt: skip
    return _frame(rows, SLOTS)


def flips_table(
    choices: Mapping[Pair, pl.DataFrame],
    grades: Mapping[Pair, pl.DataFrame],
    reordered: Iterable[tuple[str, str]],
) -> pl.DataFrame:
    """How often another answer is picked when the same candidates are shown in another order, among questions
    with two valid outputs; 95 % Wilson interval.

    `reordered` are variants that differ in their order alone. A choice by content flips never, a uniform
    one among k different answers in 1 − 1/k. Another sample with the same normal form is no other answer.
    A variant that shows several orders itself is compared with itself, every two of its orders; the interval
    is then the clustered one.
    """
    rows = []
    for (model, task), table in choices.items():
        answers = _picked(table.filter("valid"), grades[model, task])
        for first, second in reordered:
            valid = answers.filter(pl.col("variant").is_in([first, second]))
            for (k, by), cell in valid.group_by("k", "discriminator", maintain_order=True):
                one, other = (cell.filter(pl.col("variant") == name) for name in (first, second))
                both = one.join(other, on="asked", validate="1:1")
                flips = both.filter(pl.col("picked") != pl.col("picked_right")).height
                low, high = share_interval(flips, both.height)
                rate = flips / both.height if both.height else None
                rows.append(
                    (model, task, k, first, by, second, both.height, flips, rate, low, high, 1 - 1 / k)
                )
        rows += [(model, task, *row) for row in _own_flips(table, grades[model, task])]
    return _frame(rows, FLIPS)


def _own_flips(choices: pl.DataFrame, grades: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows, without model and task, of the variants that show several orders themselves."""
    if "picks" not in choices.columns:
        return
    forms = {(q, s): form for q, s, form in grades.select("question_id", "sample", "extracted").iter_rows()}
    several = distinct(choices.filter(pl.col("picks").is_not_null()))
    for (k, variant, by), cell in several.group_by("k", *WAY, maintain_order=True):
        flips, shares, asked = [], [], []
        for question, picks in cell.select("question_id", "picks").iter_rows():
            picked = [forms.get((question, pick)) or pick for pick in picks if pick is not None]
            pairs = [one != other for one, other in combinations(picked, 2)]
            if pairs:
                flips += pairs
                shares.append(np.mean(pairs))
                asked.append(question)
        low, high = score_interval(np.array(shares), np.array(asked)) if shares else (None, None)
        rate = float(np.mean(shares)) if shares else None
        yield k, variant, by, variant, len(flips), sum(flips), rate, low, high, 1 - 1 / int(k)


def _picked(choices: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """A row a choice, `k`, the way and `asked`: `picked` tells answers apart, one an item that shares it.

    That is their normal form, or the sample where there is none.
    """
    forms = grades.select("question_id", pl.col("sample").alias("chosen_sample"), "extracted")
    sample = pl.when(pl.col("extracted").is_null()).then("chosen_sample")
    return (
        named(choices)
        .join(forms, on=["question_id", "chosen_sample"], how="left", validate="m:1")
        .group_by("k", *WAY, "asked", maintain_order=True)
        .agg(pl.struct("extracted", sample.alias("sample")).sort_by("question_id").alias("picked"))
    )


def pass_table(
    grades: Mapping[Pair, pl.DataFrame], clusters: Mapping[str, pl.DataFrame], scored: Collection[str] = ()
) -> pl.DataFrame:
    """pass@j for every j up to n of each pool graded 0 or 1, with 95 % intervals clustered by question.

    `clusters` holds, by task, `question_id` and `cluster`; `scored` are the tasks whose grades are on a
    scale. Of a pool that a judge graded in part, the questions that have at least j grades.
    """
    rows = []
    for (model, task), table in grades.items():
        known = table.drop_nulls("grade")
        if task in scored or not known.height or not known["grade"].is_in([0.0, 1.0]).all():
            continue
        pool = known.group_by("question_id", maintain_order=True).agg(
            pl.col("grade").sum(), pl.len().alias("n")
        )
        pool = pool.join(clusters[task], on="question_id", validate="1:1")
        for j in range(1, max(pool["n"].to_list()) + 1):
            enough = pool.filter(pl.col("n") >= j)
            values = np.array(
                [pass_at(round(right), n, j) for right, n in enough.select("grade", "n").iter_rows()]
            )
            interval = score_interval(values, enough["cluster"].to_numpy())
            rows.append((model, task, j, max(pool["n"].to_list()), enough.height, values.mean(), *interval))
    return _frame(rows, PASS_AT)


def coverage_table(items: pl.DataFrame) -> pl.DataFrame:
    """Accuracy when only the surest choices count, by share of the questions in steps of 5 %, for each cell
    whose choices have margins that differ.
    """
    rows: list[tuple[Any, ...]] = []
    known = items.drop_nulls(["margin", "chosen_grade"])
    for key, cell in known.group_by("model", "task", "k", *WAY, maintain_order=True):
        if cell["margin"].n_unique() == 1:
            continue
        margins = cell["margin"].to_numpy()
        accuracy, least = accuracy_by_margin(margins, cell["chosen_grade"].to_numpy()), -np.sort(-margins)
        for percent in range(5, 101, 5):
            n = -(-percent * cell.height // 100)
            rows.append((*key, percent / 100, n, accuracy[n - 1], least[n - 1]))
    return _frame(rows, COVERAGE)


def differences_table(grades: Mapping[Pair, pl.DataFrame]) -> pl.DataFrame:
    """Every candidate on which two ways of grading differ: what each read and the grade it gave, beside
    the primary one.
    """
    rows = []
    for (model, task), table in grades.items():
        others = [name.removeprefix("grade_") for name in table.columns if name.startswith("grade_")]
        for other in others:
            differing = table.filter(pl.col("grade") != pl.col(f"grade_{other}"))
            columns = (
                "question_id",
                "sample",
                "grading",
                "extracted",
                "grade",
                f"extracted_{other}",
                f"grade_{other}",
            )
            rows += [
                (model, task, *row[:5], other, *row[5:]) for row in differing.select(columns).iter_rows()
            ]
    return _frame(rows, DIFFERENCES)


def _frame(rows: Sequence[tuple[Any, ...]], columns: Sequence[Column]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema_of(columns), orient="row").with_columns(cs.float().fill_nan(None))
