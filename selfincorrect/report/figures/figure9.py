"""The paper's Figure 9: the model's own distractors against obviously wrong ones, measured and published."""

from collections.abc import Mapping
from itertools import cycle
from textwrap import wrap
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.pyplot import subplots

from selfincorrect.measure.discernment import ends
from selfincorrect.paper import published
from selfincorrect.report.figures.style import (
    COLOURS,
    FAINT,
    NO_CELLS,
    comparable,
    difference_label,
    errors,
    nothing,
    scale,
    task_name,
)

HATCHES = (None, "///", "...", "xxx", "\\\\\\", "+++", "ooo")


def draw(metrics: pl.DataFrame) -> Figure:
    """A panel a task, for each model and k a bar a variant; the pairs that the paper published beside
    them.
    """
    metrics = comparable(metrics)
    if not metrics.height:
        return nothing(NO_CELLS)
    tasks = metrics["task"].unique(maintain_order=True).to_list()
    groups = metrics.select("model", "k").unique(maintain_order=True).rows()
    variants = metrics["variant"].unique(maintain_order=True).to_list()
    figure9 = published.table("figure9")
    # As wide as what stands in it: a group of bars for each model and k, a line for each published pair.
    widths = [
        0.2 + 0.75 * len(groups) + 0.26 * figure9.filter(pl.col("task") == task).height for task in tasks
    ]
    figure, axes = subplots(
        1,
        len(tasks),
        squeeze=False,
        figsize=(max(1.0 + sum(widths) + 0.4 * len(tasks), 6.5), 3.6),
        width_ratios=widths,
    )
    for axis, task in zip(axes[0], tasks, strict=True):
        for row in metrics.filter(pl.col("task") == task).iter_rows(named=True):
            _bar(
                axis,
                groups.index((row["model"], row["k"])),
                variants.index(row["variant"]),
                len(variants),
                row,
            )
        _published(axis, figure9.filter(pl.col("task") == task), start=len(groups) + 0.3)
        _label_groups(axis, groups)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.grid(axis="x", visible=False)
        axis.set_title(task_name(task))
        axis.set_ylabel(difference_label(metrics, task))
    handles: list[Any] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for name, colour, hatch in zip(variants, cycle(COLOURS), cycle(HATCHES), strict=False)
    ]
    handles.append(Patch(facecolor=COLOURS[0], alpha=0.3, label="pale: cannot speak about discrimination"))
    for filled, name in (("white", "published, original"), (FAINT, "published, simplified (Figure 9)")):
        handles.append(
            Line2D([], [], marker="o", linestyle="none", color=FAINT, markerfacecolor=filled, label=name)
        )
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.suptitle("Obviously wrong distractors against the model's own")
    return figure


def _bar(axis: Axes, place: int, side: int, sides: int, row: Mapping[str, Any]) -> None:
    width, factor = 0.72 / sides, scale(row["unit"])
    axis.bar(
        place + (side - (sides - 1) / 2) * width,
        factor * row["dg_diff"],
        0.94 * width,
        color=COLOURS[side % len(COLOURS)],
        hatch=HATCHES[side % len(HATCHES)],
        edgecolor="white",
        linewidth=0.5,
        alpha=1 if row["informative"] else 0.3,
        yerr=errors(row["dg_diff"], *ends(row), factor),
        error_kw={"capsize": 2, "linewidth": 1},
    )


def _published(axis: Axes, pairs: pl.DataFrame, start: float) -> None:
    """One line from original to simplified for each model of the paper's figure."""
    for index, pair in enumerate(pairs.iter_rows(named=True)):
        at = start + 0.35 * index
        values = [pair["dg_diff_original"], pair["dg_diff_simplified"]]
        axis.plot([at - 0.08, at + 0.08], values, "-", color=FAINT, linewidth=1)
        axis.plot([at - 0.08], values[:1], "o", color=FAINT, markersize=4, markerfacecolor="white")
        axis.plot([at + 0.08], values[1:], "o", color=FAINT, markersize=4)


def _label_groups(axis: Axes, groups: list[tuple[str, int]]) -> None:
    """k under each pair of bars, the model under its pairs."""
    axis.set_xticks(range(len(groups)), [f"k={k}" for _, k in groups])
    for model in dict.fromkeys(model for model, _ in groups):
        places = [place for place, (name, _) in enumerate(groups) if name == model]
        label = "\n".join(wrap(model, 10))
        axis.annotate(
            label,
            (sum(places) / len(places), 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -18),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="small",
        )
