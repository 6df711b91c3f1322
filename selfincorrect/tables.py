"""Tables over all cells: the metrics, and how often each shown position was picked."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from scipy import stats

from selfincorrect.measure import LEVEL, slot_counts


def metrics_table(parts: Sequence[pl.DataFrame], cells: Mapping[str, Any]) -> pl.DataFrame:
    """All cells, in the order of the configuration. `cells` has `models`, `tasks` (with their variants) and `k`."""
    table = pl.concat(parts, how="vertical_relaxed")
    variants = list(dict.fromkeys(name for names in cells["tasks"].values() for name in names))
    orders = {
        "model": cells["models"],
        "task": list(cells["tasks"]),
        "k": cells["k"],
        "variant": variants,
    }
    places = [
        pl.col(column).replace_strict({name: place for place, name in enumerate(names)}, default=len(names))
        for column, names in orders.items()
    ]
    return table.sort(places)


def slots_table(choices: Mapping[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    """A row for each cell and shown position: picks, their share of the valid outputs, and its 95 % Wilson interval.

    `choices` holds choices.parquet tables by (model, task); position 1 is shown first.
    """
    rows = []
    for (model, task), table in choices.items():
        for (k, variant), cell in table.group_by("k", "variant", maintain_order=True):
            counts = slot_counts(cell, int(k))
            total = int(counts.sum())
            for slot, count in enumerate(counts.tolist()):
                ci = stats.binomtest(count, total).proportion_ci(LEVEL, "wilson") if total else None
                rows.append(
                    {
                        "model": model, "task": task, "k": k, "variant": variant, "position": slot + 1,
                        "picked": count, "valid": total, "share": count / total if total else None,
                        "ci_low": ci.low if ci else None, "ci_high": ci.high if ci else None,
                    }
                )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def percent(value: float | None, sign: bool = False) -> str:
    """A fraction in percent with one decimal, as in reports; an en dash for none."""
    if value is None:
        return "–"
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"


def summary_lines(metrics: pl.DataFrame) -> list[str]:
    """The metrics as text for a terminal: a header, a line a cell, and each cell's note below the lines."""
    header = (
        "model",
        "task",
        "k",
        "variant",
        "n",
        "mixed",
        "S_gen",
        "S_disc",
        "DG-Diff",
        "95% CI",
        "p",
        "",
    )
    body, notes = [], []
    for row in metrics.iter_rows(named=True):
        if row["note"]:
            notes.append(f"{row['model']} {row['task']} k={row['k']} {row['variant']}: {row['note']}")
        body.append(
            (
                row["model"], row["task"], str(row["k"]), row["variant"], str(row["n"]),
                str(row["mixed_questions"]), percent(row["s_gen"]), percent(row["s_disc"]),
                percent(row["dg_diff"], sign=True),
                f"[{percent(row['ci_low'], True)}, {percent(row['ci_high'], True)}]",
                f"{row['p_randomisation']:.3f}", f"({len(notes)})" if row["note"] else "",
            )
        )  # fmt: skip
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if i in (0, 1, 3) else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *body)
    ]
    numbered = [f"({number}) {text}" for number, text in enumerate(notes, start=1)]
    return [*lines, "", "Scores in percent; p: one-sided randomisation test; notes:" if notes else "Scores in percent; p: one-sided randomisation test.", *numbered]  # fmt: skip
