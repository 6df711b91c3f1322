"""Generation score, discrimination score, majority vote and oracle over k."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import (
    NO_CELLS,
    Tables,
    errors,
    legend_below,
    nothing,
    scale,
    series,
    task_name,
    unit_of,
)

LINES = (
    ("oracle", "oracle (best candidate)"),
    ("majority", "majority vote"),
    ("s_gen", "S_gen (random candidate)"),
)


def draw(tables: Tables) -> Figure:
    """A panel for each model and task. Scores in percent, with 95 % intervals; a series a variant for
    S_disc.
    """
    metrics = tables["metrics"]
    metrics = metrics.filter(pl.col("n") > 0)
    if not metrics.height:
        return nothing(NO_CELLS)
    models = metrics["model"].unique(maintain_order=True).to_list()
    tasks = metrics["task"].unique(maintain_order=True).to_list()
    shown = metrics.filter(
        ~pl.col("selector").is_in(["random", "majority", "oracle"])
    )  # these are lines already
    variants = shown["variant"].unique(maintain_order=True).to_list()
    ks = sorted(metrics["k"].unique())
    names = [*(name for name, _ in LINES), *(f"s_disc {variant}" for variant in variants)]
    labels = [*(label for _, label in LINES), *(f"S_disc, {variant}" for variant in variants)]
    figure, axes = subplots(
        len(models), len(tasks), squeeze=False, sharex=True, sharey="col",
        figsize=(max(1.0 + 2.5 * len(tasks), 6.5), 1.3 + 2.1 * len(models)),
    )  # fmt: skip
    for i, model in enumerate(models):
        for j, task in enumerate(tasks):
            axis = axes[i, j]
            mine = metrics.filter((pl.col("model") == model) & (pl.col("task") == task))
            if not mine.height:
                axis.set_axis_off()
                continue
            for index, (name, label) in enumerate(zip(names, labels, strict=True)):
                column, _, variant = name.partition(" ")
                rows = mine.filter(pl.col("variant") == variant) if variant else mine
                rows = rows.unique("k", keep="first", maintain_order=True).sort("k")
                # Side by side, so that equal values stay apart.
                shift = (index - (len(names) - 1) / 2) * 0.09 * (ks[-1] - ks[0] or 1) / 2
                factor = scale(unit_of(metrics, task))
                values = [None if value is None else factor * value for value in rows[column]]
                bars = [
                    errors(row[column], row[f"{column}_low"], row[f"{column}_high"], factor)
                    for row in rows.iter_rows(named=True)
                ]
                whole = [[each[side][0] if each else 0.0 for each in bars] for side in (0, 1)]
                axis.errorbar(
                    [k + shift for k in rows["k"]], values, yerr=whole, label=label, **series(index),
                    capsize=2, linewidth=1.2, markersize=4.5, linestyle="-" if variant else "--",
                )  # fmt: skip
            axis.set_xticks(ks)
            if i == 0:
                axis.set_title(task_name(task))
            if i == len(models) - 1:
                axis.set_xlabel("k (candidates shown)")
        axes[i, 0].set_ylabel(f"{model}\nscore (% or grade)")
    for column in axes.T:  # when all is drawn: a column shares its scale
        column[0].set_ylim(bottom=-0.03 * column[0].get_ylim()[1])
    legend_below(figure, axes)
    figure.suptitle("What is gained by choosing, voting or an oracle")
    return figure
