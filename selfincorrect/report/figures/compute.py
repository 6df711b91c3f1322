"""Scores against what they take: every way of choosing, for every number of candidates."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from selfincorrect.report.figures.style import (
    FAINT,
    Tables,
    legend_below,
    nothing,
    scale,
    series,
    task_name,
    unit_of,
    words,
)
from selfincorrect.report.worth import costed


def draw(tables: Tables) -> Figure:
    """A panel for each model and task: score over operations (tokens where these are not known), a line a way
    of choosing, with its band; grey: the front.
    """
    metrics = tables["metrics"]
    table = costed(tables["compute"]).filter(~pl.col("labels_used") & pl.col("cost").is_not_null())
    if not table.height:
        return nothing("What choosing takes is not known: no tokens were counted.")
    panels = table.select("task", "model").unique(maintain_order=True).rows()
    ways = table["way"].unique(maintain_order=True).to_list()
    figure, axes = subplots(1, len(panels), squeeze=False, figsize=(max(1.5 + 3.2 * len(panels), 5.0), 3.8))
    for axis, (task, model) in zip(axes[0], panels, strict=True):
        mine = table.filter((pl.col("task") == task) & (pl.col("model") == model))
        factor = scale(unit_of(metrics, task))
        ahead = mine.filter("front").sort("cost")
        grey = {"color": FAINT, "linewidth": 4, "alpha": 0.35, "zorder": 1}
        axis.step(ahead["cost"], factor * ahead["score"], where="post", **grey)
        for (way,), line in mine.group_by("way", maintain_order=True):
            look = series(ways.index(way))
            cost, score = line["cost"].to_list(), factor * line["score"].to_numpy()
            axis.plot(cost, score, **look, markersize=3, linewidth=1, label=words(str(way)))
            low, high = (factor * line[name].to_numpy() for name in ("ci_low", "ci_high"))
            axis.fill_between(cost, low, high, color=look["color"], alpha=0.06, linewidth=0)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_title(f"{task_name(task)}\n{words(model)}")
        axis.set_xlabel(f"{mine['unit'].item(0)} a question")
    axes[0, 0].set_ylabel("score (%)" if unit_of(metrics, panels[0][0]) == "percent" else "score (grade)")
    legend_below(figure, axes)
    figure.suptitle("What a choice is worth: score against compute")
    return figure
