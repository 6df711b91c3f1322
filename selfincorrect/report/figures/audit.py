"""Printed p-values beside the range that the printed scores allow."""

from typing import Any

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import COLOURS, FAINT, task_name, words

LOWEST = 1e-4  # of the axis; smaller values are drawn there


def draw(audited: pl.DataFrame) -> Figure:
    """A row for each cell with a printed p that can be bounded: the feasible range, p under independent
    phases, p as printed.
    """
    cells = audited.filter(pl.col("p_printed").is_not_null() & pl.col("p_largest").is_not_null())
    tasks = cells["task"].unique(maintain_order=True).to_list()
    if not tasks:
        figure, axis = subplots(figsize=(5, 1.2))
        axis.set_axis_off()
        axis.text(0.5, 0.5, "No cell has a printed p-value that its scores bound.", ha="center", va="center")
        return figure
    counts = [cells.filter(pl.col("task") == task).height for task in tasks]
    figure, axes = subplots(
        len(tasks), squeeze=False, sharex=True, figsize=(6.8, 1.6 + 0.24 * sum(counts) + 0.3 * len(tasks)),
        gridspec_kw={"height_ratios": [count + 1 for count in counts]},
    )  # fmt: skip
    for axis, task in zip(axes[:, 0], tasks, strict=True):
        mine = list(cells.filter(pl.col("task") == task).iter_rows(named=True))
        for place, row in enumerate(mine):
            low, high, middle, printed = (
                max(row[name], LOWEST) for name in ("p_smallest", "p_largest", "p_independent", "p_printed")
            )
            bad = row["verdict"] == "infeasible"
            axis.plot(
                [low, high],
                [-place, -place],
                color=FAINT,
                linewidth=5,
                solid_capstyle="butt",
                label="feasible",
            )
            axis.plot(middle, -place, "|", color="black", markersize=8, label="independent phases")
            axis.plot(
                printed, -place, "X" if bad else "o", color=COLOURS[1] if bad else COLOURS[0], markersize=5.5,
                label="printed, infeasible" if bad else "printed, consistent",
            )  # fmt: skip
        axis.set_yticks([-place for place in range(len(mine))], [words(row["model"]) for row in mine])
        axis.set_ylim(0.7 - len(mine) - 0.4, 0.7)
        axis.set_xscale("log")
        axis.set_title(words(task_name(task)), loc="left")
    axes[-1, 0].set_xlim(LOWEST * 0.8, 1)
    axes[-1, 0].set_xlabel(f"one-sided p-value ({LOWEST:g} stands for all below)")
    named: dict[str, Any] = {}
    for axis in axes[:, 0]:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=2)
    figure.suptitle("Can the printed p-values come from the printed scores?")
    return figure
