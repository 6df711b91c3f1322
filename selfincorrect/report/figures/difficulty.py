"""Skill against difficulty: by level of the task, or by how often a question is solved."""

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.difficulty import LEVEL, in_order
from selfincorrect.report.figures.style import Tables, legend_below, nothing, series, task_name

FEW = 5  # mixed questions, below which a group says nothing


def draw(tables: Tables) -> Figure:
    """A panel for each model and task at the largest k, a line a variant, with exact 95 % intervals."""
    table = tables["difficulty"]
    table = table.filter((pl.col("mixed") >= FEW) & pl.col("skill").is_not_null())
    # By levels where a task has some; at the largest k that leaves candidates to tell how hard a question is.
    table = table.filter((pl.col("by") == LEVEL) == (pl.col("by") == LEVEL).any().over("model", "task"))
    table = table.filter(pl.col("k") == pl.col("k").max().over("model", "task"))
    if not table.height:
        return nothing("No group of questions with enough mixed ones.")
    panels = table.select("task", "model").unique(maintain_order=True).rows()
    variants = table["variant"].unique(maintain_order=True).to_list()
    figure, axes = subplots(
        1, len(panels), sharey=True, squeeze=False, figsize=(max(1.5 + 2.8 * len(panels), 5.0), 3.6)
    )
    for axis, (task, model) in zip(axes[0], panels, strict=True):
        mine = table.filter((pl.col("task") == task) & (pl.col("model") == model))
        groups = sorted(mine["group"].unique(), key=in_order)
        axis.axhline(0, color="black", linewidth=0.8)
        for (variant,), line in mine.group_by("variant", maintain_order=True):
            place = variants.index(variant)
            shift = 0.08 * (place - (len(variants) - 1) / 2)
            x = np.array([groups.index(group) for group in line["group"]]) + shift
            skill, low, high = (line[name].to_numpy() for name in ("skill", "skill_low", "skill_high"))
            look = series(place)
            axis.plot(x, skill, **look, markersize=4, label=variant)
            axis.vlines(x, low, high, color=look["color"], linewidth=0.8, alpha=0.6)
        axis.set_xticks(range(len(groups)), groups)
        axis.set_xlim(-0.5, len(groups) - 0.5)
        axis.set_title(f"{task_name(task)}\n{model}")
        axis.set_xlabel("level" if mine["by"][0] == LEVEL else "share of further answers that are right")
    axes[0, 0].set_ylabel("skill")
    legend_below(figure, axes)
    figure.suptitle("Skill by difficulty")
    return figure
