"""Best of j candidates, by each way of choosing that can be told without drawing them."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import (
    Tables,
    legend_below,
    nothing,
    scale,
    series,
    task_name,
    unit_of,
)


def draw(tables: Tables) -> Figure:
    """A panel for each model and task, a line a variant with its 95 % interval."""
    metrics, table = tables["metrics"], tables["best_of"]
    if not table.height:
        return nothing("No way of choosing to show.")
    panels = table.select("task", "model").unique(maintain_order=True).rows()
    variants = table["variant"].unique(maintain_order=True).to_list()
    figure, axes = subplots(1, len(panels), squeeze=False, figsize=(max(1.5 + 2.8 * len(panels), 5.0), 3.4))
    for axis, (task, model) in zip(axes[0], panels, strict=True):
        mine = table.filter((pl.col("task") == task) & (pl.col("model") == model))
        unit = unit_of(metrics, task)
        for (variant,), line in mine.group_by("variant", maintain_order=True):
            look, j = series(variants.index(variant)), line["j"].to_list()
            axis.plot(j, scale(unit) * line["score"].to_numpy(), **look, markersize=4, label=variant)
            low, high = (scale(unit) * line[name].to_numpy() for name in ("ci_low", "ci_high"))
            axis.fill_between(j, low, high, color=look["color"], alpha=0.08, linewidth=0)
        axis.set_title(f"{task_name(task)}\n{model}")
        axis.set_xlabel("candidates (j)")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("score (%)" if unit_of(metrics, panels[0][0]) == "percent" else "score (grade)")
    legend_below(figure, axes)
    figure.suptitle("Best of j of a model's own answers")
    return figure
