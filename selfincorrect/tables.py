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


def numbered_notes(metrics: pl.DataFrame) -> dict[str, int]:
    """The different notes of the cells, numbered from 1 in order of appearance."""
    return {text: number for number, text in enumerate(filter(None, metrics["note"].unique(maintain_order=True)), 1)}


def summary_lines(metrics: pl.DataFrame) -> list[str]:
    """The metrics as text for a terminal: a header, a line a cell, and below them each different note once."""
    header = ("model", "task", "k", "variant", "n", "mixed", "S_gen", "S_disc", "DG-Diff", "95% CI", "p", "note")
    notes = numbered_notes(metrics)
    body = [
        (
            row["model"], row["task"], str(row["k"]), row["variant"], str(row["n"]), str(row["mixed_questions"]),
            percent(row["s_gen"]), percent(row["s_disc"]), percent(row["dg_diff"], sign=True),
            f"[{percent(row['ci_low'], True)}, {percent(row['ci_high'], True)}]" if row["ci_low"] is not None else "–",
            f"{row['p_randomisation']:.3f}", f"({notes[row['note']]})" if row["note"] else "",
        )
        for row in metrics.iter_rows(named=True)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if column in ("model", "task", "variant") else text.rjust(width)
            for column, text, width in zip(header, row, widths, strict=True)
        ).rstrip()
        for row in (header, *body)
    ]
    explained = "Scores in percent; p: one-sided randomisation test" + ("; notes:" if notes else ".")
    return [*lines, "", explained, *(f"({number}) {text}" for text, number in notes.items())]
