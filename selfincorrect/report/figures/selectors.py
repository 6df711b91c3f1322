"""Ways of choosing among the same candidates: DG-Diff of each, beside the majority vote and the oracle."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.measure.discernment import ends
from selfincorrect.report.figures.style import (
    COLOURS,
    FAINT,
    NO_CELLS,
    Tables,
    difference_label,
    errors,
    legend_below,
    nothing,
    scale,
    task_name,
)

LINED = ("majority", "oracle")  # columns of metrics that are lines, of every cell


def draw(tables: Tables) -> Figure:
    """A panel for each model and task at the largest k, a row a variant; grey: cannot speak about it."""
    metrics = tables["metrics"]
    metrics = metrics.filter((pl.col("n") > 0) & (pl.col("k") == pl.col("k").max()))
    metrics = metrics.filter(~pl.col("selector").is_in(LINED))
    if not metrics.height:
        return nothing(NO_CELLS)
    panels = metrics.select("task", "model").unique(maintain_order=True).rows()
    variants = metrics["variant"].unique(maintain_order=True).to_list()
    figure, axes = subplots(
        1,
        len(panels),
        sharey=True,
        squeeze=False,
        figsize=(max(2.2 + 2.5 * len(panels), 6.0), 1.6 + 0.26 * len(variants)),
    )
    for axis, (task, model) in zip(axes[0], panels, strict=True):
        mine = metrics.filter((pl.col("task") == task) & (pl.col("model") == model)).to_dicts()
        factor = scale(mine[0]["unit"])
        axis.axvline(0, color="black", linewidth=0.8)
        for colour, style, column in zip(COLOURS[2:], ("--", ":"), LINED, strict=False):
            gain = factor * (mine[0][column] - mine[0]["s_gen"])
            axis.axvline(gain, color=colour, linestyle=style, linewidth=1.4, label=column)
        for row in mine:
            axis.errorbar(
                factor * row["dg_diff"], -variants.index(row["variant"]),
                xerr=errors(row["dg_diff"], *ends(row), factor),
                fmt="o", color=COLOURS[0] if row["informative"] else FAINT,
                capsize=2, linewidth=1.2, markersize=5,
            )  # fmt: skip
        axis.set_title(f"{task_name(task)}\n{model}")
        axis.set_xlabel(difference_label(metrics, task))
    axes[0, 0].set_yticks([-place for place in range(len(variants))], variants)
    axes[0, 0].set_ylim(0.7 - len(variants), 0.7)
    legend_below(figure, axes)
    figure.suptitle(f"Ways of choosing among the same {metrics['k'].item(0)} candidates")
    return figure
