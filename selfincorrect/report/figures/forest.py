"""Skill of every cell in which a model chose, and its random-effects mean."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.measure.pooled import random_effects
from selfincorrect.report.figures.style import (
    COLOURS,
    FAINT,
    Tables,
    comparable,
    errors,
    nothing,
    task_name,
    words,
)


def draw(tables: Tables) -> Figure:
    """A panel for each k and variant: a row a cell, its area by its weight, and below them the mean, with the
    prediction interval as a thin line.
    """
    metrics = tables["metrics"]
    metrics = comparable(metrics).filter(pl.col("skill").is_not_null())
    if not metrics.height:
        return nothing("No cell has a skill: no question of a task of right and wrong is mixed.")
    panels = list(metrics.group_by("k", "variant", maintain_order=True))
    spoken = [cells.filter("informative") for _, cells in panels]
    counts = [cells.height + (some.height > 1) for (_, cells), some in zip(panels, spoken, strict=True)]
    figure, axes = subplots(
        len(panels), squeeze=False, sharex=True, figsize=(6.8, 1.0 + 0.28 * sum(counts) + 0.55 * len(panels)),
        gridspec_kw={"height_ratios": [count + 1 for count in counts]},
    )  # fmt: skip
    for axis, ((k, variant), cells), some in zip(axes[:, 0], panels, spoken, strict=True):
        axis.axvline(0, color="black", linewidth=0.8)
        labels = []
        for place, row in enumerate(cells.iter_rows(named=True)):
            width = max(row["skill_high"] - row["skill_low"], 1e-3)
            axis.errorbar(
                row["skill"], -place, xerr=errors(row["skill"], row["skill_low"], row["skill_high"], 1),
                fmt="s", markersize=min(3 + 1.2 / width, 9), capsize=2, linewidth=1.2,
                color=COLOURS[0] if row["informative"] else FAINT,
            )  # fmt: skip
            labels.append(f"{row['model']}, {task_name(row['task'])}")
        if some.height > 1:
            ends = (some[name].to_list() for name in ("skill", "skill_low", "skill_high"))
            mean, place = random_effects(*ends), -cells.height
            if mean["next_low"] is not None:
                axis.plot([mean["next_low"], mean["next_high"]], [place] * 2, color=COLOURS[1], linewidth=0.8)
            axis.errorbar(
                mean["skill"], place, xerr=errors(mean["skill"], mean["skill_low"], mean["skill_high"], 1),
                fmt="D", markersize=7, capsize=3, linewidth=2, color=COLOURS[1],
            )  # fmt: skip
            labels.append(f"mean of {some.height} (τ² = {mean['tau2']:.3f})")
        axis.set_yticks([-place for place in range(len(labels))], [words(label) for label in labels])
        axis.set_ylim(0.7 - len(labels), 0.7)
        axis.set_title(words(f"k = {k}, {variant}"), loc="left")
    axes[-1, 0].set_xlim(-1.05, 1.05)
    axes[-1, 0].set_xlabel("skill: 0 draws at random, 1 always knows a best answer")
    figure.suptitle("How often the best answer is known")
    return figure
