"""Original against simplified distractors, in the form of the paper's Figure 9."""

from collections.abc import Mapping

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect import published
from selfincorrect.figures.style import COLOURS, FAINT, errors, legend_below, task_name


def draw(metrics: pl.DataFrame, slots: pl.DataFrame) -> Figure:
    """A panel a task, two bars for each model and k: the variants `full` and `simplified`; published pairs beside them."""
    tasks = metrics["task"].unique(maintain_order=True).to_list()
    names = [name for name in ("full", "simplified") if name in metrics["variant"].to_list()]
    figure, axes = subplots(1, len(tasks), squeeze=False, sharey=True, figsize=(1.2 + 2.8 * len(tasks), 3.6))
    figure9 = published.table("figure9")
    for axis, task in zip(axes[0], tasks, strict=True):
        mine = metrics.filter(pl.col("task") == task)
        groups = mine.select("model", "k").unique(maintain_order=True).rows()
        for place, (model, k) in enumerate(groups):
            for side, name in enumerate(names):
                found = mine.filter((pl.col("model") == model) & (pl.col("k") == k) & (pl.col("variant") == name))
                for row in found.iter_rows(named=True):
                    _bar(axis, place, side, row, name if place == 0 else None)
        faint = figure9.filter(pl.col("task") == task).rows(named=True)
        for index, pair in enumerate(faint):
            at = len(groups) + 0.3 + 0.35 * index
            values = [pair["dg_diff_original"], pair["dg_diff_simplified"]]
            axis.plot([at - 0.08, at + 0.08], values, "-", color=FAINT, linewidth=1)
            axis.plot([at - 0.08], values[:1], "o", color=FAINT, markersize=4, markerfacecolor="white")
            axis.plot([at + 0.08], values[1:], "o", color=FAINT, markersize=4, label="published (Figure 9): original ○ to simplified ●" if index == 0 else None)  # fmt: skip
        ticks = [*range(len(groups))]
        labels = [f"{model}\nk = {k}" for model, k in groups]
        if faint:
            ticks.append(len(groups) + 0.3 + 0.35 * (len(faint) - 1) / 2)
            labels.append("published")
        axis.set_xticks(ticks, labels, rotation=35, ha="right", rotation_mode="anchor")
        axis.axhline(0, color="black", linewidth=0.8)
        axis.grid(axis="x", visible=False)
        axis.set_title(task_name(task))
    axes[0, 0].set_ylabel("DG-Diff (points)")
    with_published = max(axes[0], key=lambda axis: len(axis.get_legend_handles_labels()[1]))
    legend_below(figure, with_published)
    figure.suptitle("Obviously wrong distractors against the model's own")
    return figure


def _bar(axis: Axes, place: int, side: int, row: Mapping[str, float], label: str | None) -> None:
    axis.bar(
        place + (side - 0.5) * 0.36, 100 * row["dg_diff"], 0.34, color=COLOURS[side],
        hatch=(None, "///")[side], edgecolor="white", linewidth=0.5, label=label,
        yerr=errors(row["dg_diff"], row["ci_low"], row["ci_high"]), error_kw={"capsize": 2, "linewidth": 1},
    )  # fmt: skip
