"""Audit of published tables: can the printed p-values come from the printed scores?

McNemar's p depends on how many questions were gained and lost. The scores fix the difference, and limit how
many changed in all: so they bound p from both sides, before anything is run again.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.errors import UserError
from selfincorrect.jobs.job import plain_text
from selfincorrect.paper import published
from selfincorrect.paper.bounds import independent, p_bounds, whole

COLUMNS = ("model", "task", "dg_diff", "s_gen", "s_disc")  # and p_value, where it is printed
MOST_ITEMS = 10_000_000
FORMULA_LIMIT = 0.25  # of ½[1 − Φ(|z|)], the p-value as the paper prints it
SCHEMA = {
    "model": pl.String, "task": pl.String, "m": pl.Int64, "s_gen": pl.Float64, "s_disc": pl.Float64,
    "dg_diff": pl.Float64, "d": pl.Float64, "p_printed": pl.Float64, "p_smallest": pl.Float64,
    "p_largest": pl.Float64, "p_independent": pl.Float64, "fits": pl.String, "verdict": pl.String,
    "note": pl.String,
}  # fmt: skip


def read_published(path: Path) -> pl.DataFrame:
    """A table of published cells, all columns as text, so that the printed decimals are known.

    Raises UserError if it is no CSV with COLUMNS or if a value is no number.
    """
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path} cannot be read as CSV: {error}") from error
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise UserError(
            f"{path} has no column {', '.join(missing)}; found: {', '.join(table.columns)}. "
            f"Needed: {', '.join(COLUMNS)}; also `p_value`, which may be empty, "
            "and `items` (questions of the cell) for tasks that the paper does not have."
        )
    if not table.height:
        raise UserError(f"{path} holds no cells.")
    table = table.with_columns(pl.col(pl.String).str.strip_chars())
    if "p_value" not in table.columns:
        table = table.with_columns(p_value=pl.lit(None, dtype=pl.String))
    for number, row in enumerate(table.iter_rows(named=True), 2):
        for column in (*COLUMNS[2:], "p_value"):
            if row[column] is None and column == "p_value":
                continue
            value = _decimal(row[column])
            if value is None:
                raise UserError(f"{path}, line {number}: {column} is {row[column]!r}, not a number.")
            if column == "p_value" and not 0 <= value <= 1:
                raise UserError(f"{path}, line {number}: p_value is {row[column]}, not between 0 and 1.")
        if not row["model"] or not row["task"]:
            raise UserError(f"{path}, line {number}: `model` and `task` need a value.")
    return table


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    # No score, no p-value and no number of items is larger or has more digits.
    usable = value.is_finite() and abs(value.adjusted()) < 12 and len(value.as_tuple().digits) < 30
    return value if usable else None


def audit(table: pl.DataFrame) -> pl.DataFrame:
    """A row of SCHEMA for each published cell of a `table` as `read_published` returns it.

    Scores are in the table's own units; `m` is the number of items. For tasks tested by McNemar's test,
    `p_smallest` and `p_largest` bound its asymptotic one-sided p over all tables of whole counts that agree
    with the rounded scores and the sign of DG-Diff (None where no whole count gives a score), and
    `p_independent` is its value if candidate and choice were drawn independently. `fits` says which test the
    printed p can come from: "one-sided", else "two-sided" (twice the smaller tail), else "neither".
    `verdict` is "not given" without a printed p, "no bound" for scored tasks, else "consistent", or
    "infeasible" where the one-sided test that the paper names cannot have given it. Raises UserError where
    the number of items is not known or a score of such a task is no percentage.
    """
    tasks = {row["task"]: row for row in published.table("tasks").iter_rows(named=True)}
    return pl.DataFrame([_cell(row, tasks) for row in table.iter_rows(named=True)], schema=SCHEMA)


def _cell(row: Mapping[str, str], tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    task = tasks.get(row["task"], {"test": "mcnemar", "items": None})
    given = row.get("items") or task["items"]
    try:
        items = int(given)
    except (TypeError, ValueError):
        items = 0
    if not 1 <= items <= MOST_ITEMS:
        raise UserError(
            f"{row['model']}, {row['task']}: the number of questions is {given!r}. "
            f"Give a whole number from 1 in a column `items`; known without it: {', '.join(tasks)}."
        )
    s_gen, s_disc, dg_diff = (float(row[name]) for name in ("s_gen", "s_disc", "dg_diff"))
    printed = None if row["p_value"] is None else float(row["p_value"])
    found: dict[str, Any] = {"model": row["model"], "task": row["task"], "m": items, "p_printed": printed}
    found |= {"s_gen": s_gen, "s_disc": s_disc, "dg_diff": dg_diff, "d": round(s_disc - s_gen, 10)}
    notes = []
    slack = sum(_half_step(row[name]) for name in ("s_gen", "s_disc", "dg_diff"))
    if abs(dg_diff - (s_disc - s_gen)) > slack + 1e-9:
        notes.append("the printed difference is not that of the printed scores, whatever the rounding")
    if task["test"] != "mcnemar":
        verdict = "not given" if printed is None else "no bound"
        return found | {"verdict": verdict, "note": "; ".join(notes)}
    if printed is not None and printed - _half_step(row["p_value"]) > FORMULA_LIMIT:
        notes.append(f"p above {FORMULA_LIMIT}, which the printed formula cannot exceed")
    about = f"{row['model']}, {row['task']}: scores {s_gen} and {s_disc}"
    if not 0 <= s_gen <= 100 or not 0 <= s_disc <= 100:
        raise UserError(f"{about} are not both percentages.")
    if 0 < max(s_gen, s_disc) <= 1:
        raise UserError(f"{about} look like fractions. Give percentages.")
    found["p_independent"] = independent(s_gen / 100, s_disc / 100, items)
    right = {name: whole(row[name], items) for name in ("s_gen", "s_disc")}
    notes += [_impossible(name, row[name], items) for name, counts in right.items() if not counts]
    low = high = None
    if all(right.values()):
        low, high = p_bounds(right["s_gen"], right["s_disc"], items)
        if dg_diff >= 0:  # no loss is printed, so the scores' rounding hides none
            high = min(high, 0.5)
    found |= {"p_smallest": low, "p_largest": high}
    verdict = "not given"
    if printed is not None:
        found["fits"] = _fits(printed, _half_step(row["p_value"]) + 1e-9, low, high)
        verdict = "consistent" if found["fits"] == "one-sided" else "infeasible"
    return found | {"verdict": verdict, "note": "; ".join(notes)}


def _impossible(name: str, printed: str, items: int) -> str:
    below = int(Decimal(printed) * items / 100)
    digits = max(-int(Decimal(printed).as_tuple().exponent), 0)
    near = " and ".join(f"{count} are {100 * count / items:.{digits}f} %" for count in (below, below + 1))
    return f"{name} {printed} % of {items:,} is no whole number of questions: {near}"


def _fits(printed: float, step: float, low: float | None, high: float | None) -> str:
    """Which test of scores that allow one-sided p-values from `low` to `high` can have given `printed`."""
    if low is None or high is None:
        return "neither"
    if low - step <= printed <= high + step:
        return "one-sided"
    tails = sorted(2 * min(p, 1 - p) for p in (low, high))
    largest = 1.0 if low <= 0.5 <= high else tails[1]
    return "two-sided" if tails[0] - step <= printed <= largest + step else "neither"


def _half_step(text: str) -> float:
    """Half of the last printed decimal: what rounding can hide."""
    exponent = Decimal(text).as_tuple().exponent
    return 0.5 * 10.0 ** int(exponent)


def findings(audited: pl.DataFrame) -> list[str]:
    """What the audit found, in words: counts, infeasible cells, cells that do not add up, equal rows."""
    models, tasks = (audited[name].unique(maintain_order=True) for name in ("model", "task"))
    there = set(audited.select("model", "task").iter_rows())
    gaps = [f"{model} on {task}" for model in models for task in tasks if (model, task) not in there]
    text = f"{audited.height} cells: {len(models)} models x {len(tasks)} tasks"
    lines = [text + (f" without {', '.join(gaps)}." if gaps else ".")]
    counted = audited["verdict"].value_counts(sort=True).iter_rows()
    lines.append(f"Printed p-values: {', '.join(f'{count} {name}' for name, count in counted)}.")
    infeasible = audited.filter(pl.col("verdict") == "infeasible")
    if infeasible.height:
        both = infeasible.filter(pl.col("fits") == "two-sided").height
        lines.append(
            f"{infeasible.height} cannot come from the one-sided test; of these {both} can come from a "
            f"two-sided one, {infeasible.height - both} from neither."
        )
    for row in infeasible.filter(pl.col("p_largest").is_not_null()).iter_rows(named=True):
        beside = "" if row["fits"] == "neither" else "; a two-sided test can give it"
        lines.append(
            f"{row['model']}, {row['task']}: p = {row['p_printed']} is printed; with {row['m']:,} questions "
            f"and these scores it lies between {row['p_smallest']:.2g} and {row['p_largest']:.2g}{beside}."
        )
    for row in audited.filter(pl.col("note").str.contains("no whole number")).iter_rows(named=True):
        said = next(note for note in row["note"].split("; ") if "no whole number" in note)
        lines.append(f"{row['model']}, {row['task']}: {said}.")
    above = audited.filter(pl.col("note").str.contains("printed formula")).height
    if above:
        lines.append(
            f"{above} printed p-values are above {FORMULA_LIMIT}, which the printed formula cannot exceed."
        )
    for row in audited.filter(pl.col("note").str.contains("difference")).iter_rows(named=True):
        lines.append(
            f"{row['model']}, {row['task']}: DG-Diff {row['dg_diff']} is printed "
            f"beside scores that differ by {row['d']:.2f}."
        )
    for one, other in combinations(audited.iter_rows(named=True), 2):
        if all(one[name] == other[name] for name in ("task", "s_gen", "s_disc")):
            p, other_p = str(one["p_printed"]), str(other["p_printed"])
            end = f"with p = {p} and {other_p}." if p != other_p else f"and the same p ({p})."
            lines.append(
                f"{one['model']} and {other['model']} have the same scores on {one['task']} "
                f"({one['s_gen']} and {one['s_disc']}), {end}"
            )
    return lines


def contradictions(values: pl.DataFrame) -> list[str]:
    """What is said of cells that are printed with different values.

    `values` has the columns `source`, `model`, `task`, `quantity` and `value`.
    """
    lines = []
    for (model, task, quantity), cell in values.group_by("model", "task", "quantity", maintain_order=True):
        if cell["value"].n_unique() > 1:
            said = dict.fromkeys(f"{row['value']} in {row['source']}" for row in cell.iter_rows(named=True))
            lines.append(f"{model}, {task}: {quantity} is {', '.join(said)}.")
    return lines


_MARKUP = re.compile(r"([\\`\[\]<>|])")


def _plain(value: Any) -> str:
    """A value of a published table as plain text of a Markdown page: no link, no markup, no end of a line."""
    return _MARKUP.sub(r"\\\1", plain_text(" ".join(str(value).split())))


def page(name: str, audited: pl.DataFrame, lines: list[str]) -> str:
    """The findings and the cells with a printed p, as Markdown."""
    given, bounds = ("m", "s_gen", "s_disc", "p_printed"), ("p_smallest", "p_largest", "p_independent")
    header = "| model | task | m | S_gen | S_disc | printed p "
    header += "| smallest | largest | independent phases | fits | verdict |"
    rows = [header, "| --- " * 11 + "|"]
    for row in audited.filter(pl.col("p_printed").is_not_null()).iter_rows(named=True):
        cells = [_plain(row["model"]), _plain(row["task"]), *(str(row[name]) for name in given)]
        cells += ["–" if row[p] is None else f"{row[p]:.4f}" for p in bounds]
        rows.append(f"| {' | '.join(cells)} | {row['fits'] or '–'} | {row['verdict']} |")
    said = [f"- {_plain(line)}" for line in lines]
    return "\n".join([f"# Audit of {name}", "", *said, "", *rows, ""])
