"""Contrasts over all cells: which of two ways of choosing, models or k picks better, and in words."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.measure.contrasts import STATISTICS, contrast, said
from selfincorrect.measure.scores import Row
from selfincorrect.report.columns import DISCRIMINATOR, MODEL, TASK, VARIANT, K
from selfincorrect.report.shown import called, score
from selfincorrect.report.wanted import Cell, Contrast, Pair, pairs_of

COLUMNS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("other_model", pl.String, "model of the cell that it is compared with"),
    Column("other_k", pl.Int32, "its k"),
    Column("other_variant", pl.String, "its variant"),
    Column("other_discriminator", pl.String, "the model that was asked in it"),
    Column("unit", pl.String, "what scores are, as of metrics"),
    *STATISTICS,
    Column("p_holm", pl.Float64, "`p` adjusted over all contrasts of the table, by Holm", "probability"),
    Column("verdict", pl.String, "the first is better or worse than the other, by `p_holm` at 5 %, or "
        "undecided"),
    Column("finding", pl.String, "the verdict in words that can be quoted"),
]  # fmt: skip


def contrasts_table(
    items: pl.DataFrame,
    standards: Sequence[Collection[str]],
    uncompared: Collection[str],
    contrasts: Sequence[Contrast],
) -> pl.DataFrame:
    """A row for each pair of cells that is compared, as `wanted.pairs_of` has them.

    `items` are those of all cells; each of `standards` names selectors, and those of `uncompared` are
    compared with none.
    """
    cells = cells_of(items)
    selectors = {cell: table["selector"][0] for cell, table in cells.items()}
    compared = [cell for cell, selector in selectors.items() if selector not in uncompared]
    variants = [
        list(dict.fromkeys(cell.variant for cell in compared if selectors[cell] in names))
        for names in standards
    ]
    pairs = pairs_of(compared, variants, contrasts)
    return table_of([(pair, cells[pair[0]], cells[pair[1]]) for pair in pairs])


def cells_of(items: pl.DataFrame) -> dict[Cell, pl.DataFrame]:
    """The items of each cell."""
    return {Cell(*key): table for key, table in items.group_by(Cell._fields, maintain_order=True)}


def table_of(compared: Sequence[tuple[Pair, pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Rows of COLUMNS: contrasts that were asked for together, adjusted for their number."""
    rows = []
    judged = said([contrast(items, others) for _, items, others in compared])
    for ((one, other), items, _), row in zip(compared, judged, strict=True):
        named = one._asdict() | {f"other_{name}": value for name, value in other._asdict().items()}
        del named["other_task"]
        row = row | named | {"unit": items["unit"][0]}
        rows.append(row | {"finding": finding((one, other), row)})
    return pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row")


_WORDS = {
    True: {
        "better": "picks better than",
        "worse": "picks worse than",
        "undecided": "is not shown to pick better or worse than",
    },
    False: {
        "better": "gains more by choosing than",
        "worse": "gains less by choosing than",
        "undecided": "is not shown to gain more or less by choosing than",
    },
}


def finding(pair: Pair, row: Row) -> str:
    """What a contrast shows, in words; empty where the cells share no question."""
    if not row["n"]:
        return ""
    one, other = (
        {
            "model": cell.model,
            "task": cell.task,
            "k": str(cell.k),
            "variant": called(cell.variant, cell.discriminator, cell.model),
        }
        for cell in pair
    )
    one["k"], other["k"] = (f"k = {cell['k']}" for cell in (one, other))
    differ = [name for name in one if one[name] != other[name]]
    first, second = (", ".join(cell[name] for name in differ) for cell in (one, other))
    if not differ:
        first, second = "the first run", "the other run"
    among = ", ".join(one[name] for name in one if name not in differ)
    words = _WORDS[row["same_pool"]][row["verdict"]]
    return (
        f"{first} {words} {second} ({among}): {by_how_much(row)}, p = {row['p_holm']:.2g} after Holm's "
        f"correction, {row['n']} questions"
    )


def by_how_much(row: Mapping[str, Any]) -> str:
    """The difference of a contrast and its 95 % interval, where there is one."""
    value, low, high = (score(row[name], row["unit"], True) for name in ("difference", "ci_low", "ci_high"))
    points = " points" if row["unit"] == "percent" else ""
    return f"{value}{points}" + (f" [{low}, {high}]" if row["ci_low"] is not None else "")


def best_of_several(metrics: pl.DataFrame, askers: Collection[str]) -> list[str]:
    """For each target with several ways in which a model chose: which scores best, and the warning."""
    asked = metrics.filter(pl.col("selector").is_in(list(askers)) & (pl.col("n") > 0) & pl.col("informative"))
    lines = []
    for (model, task, k), cells in asked.group_by("model", "task", "k", maintain_order=True):
        if cells.height > 1:
            best = cells.sort("dg_diff", descending=True, maintain_order=True).row(0, named=True)
            reached = score(best["dg_diff"], best["unit"], True)
            lines.append(
                f"{model} on {task}, k = {k}: of {cells.height} ways of asking {best['variant']} scores "
                f"best, DG-Diff {reached}. It is the best of several, so its own interval and p flatter it: "
                "judge it on questions that did not choose it."
            )
    return lines
