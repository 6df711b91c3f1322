"""DG-Diff of every cell, with the published values of Table 2 as faint marks."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.measure.discernment import ends
from selfincorrect.paper import published
from selfincorrect.report.figures.style import (
    FAINT,
    NO_CELLS,
    Tables,
    comparable,
    difference_label,
    errors,
    legend_below,
    nothing,
    scale,
    series,
    task_name,
)


def draw(tables: Tables) -> Figure:
    """A panel a task, a row for each model, k and variant; filled marks have at least one mixed question."""
    metrics = comparable(tables["metrics"])
    if not metrics.height:
        return nothing(NO_CELLS)
    tasks = metrics["task"].unique(maintain_order=True).to_list()
    models = metrics["model"].unique(maintain_order=True).to_list()
    rows: dict[tuple[str, int, str], float] = {}
    top = 0.0
    for model in models:  # each its own rows, and a gap below them
        mine = metrics.filter(pl.col("model") == model).select("k", "variant").unique(maintain_order=True)
        cells = mine.sort("k", maintain_order=True).rows()
        rows |= {(model, *cell): top - place for place, cell in enumerate(cells)}
        top -= len(cells) + 1.2
    bottom = min(rows.values()) - 1.6
    table2 = published.table("table2")
    figure, axes = subplots(
        1,
        len(tasks),
        sharey=True,
        squeeze=False,
        figsize=(max(2.2 + 2.5 * len(tasks), 6.0), 1.9 + 0.26 * -bottom),
    )
    for axis, task in zip(axes[0], tasks, strict=True):
        axis.axvline(0, color="black", linewidth=0.8)
        values = table2.filter(pl.col("task") == task)["dg_diff"].to_list()
        axis.plot(
            values,
            [bottom] * len(values),
            "|",
            color=FAINT,
            markersize=9,
            label="published (Table 2), one mark a model",
        )
        for row in metrics.filter(pl.col("task") == task).iter_rows(named=True):
            look, factor = series(models.index(row["model"])), scale(row["unit"])
            axis.errorbar(
                factor * row["dg_diff"], rows[row["model"], row["k"], row["variant"]],
                xerr=errors(row["dg_diff"], *ends(row), factor),
                **look, capsize=2, linewidth=1.2, markersize=5,
                markerfacecolor=look["color"] if row["informative"] else "white",
            )  # fmt: skip
        axis.set_title(task_name(task))
        axis.set_xlabel(difference_label(metrics, task))
    labels = [(f"k = {k}, {variant}", place) for (_, k, variant), place in rows.items()]
    axes[0, 0].set_yticks(
        [place for _, place in labels] + [bottom], [text for text, _ in labels] + ["published"]
    )
    axes[0, 0].set_ylim(bottom - 0.8, 1.2)
    for m, model in enumerate(models):
        axes[0, 0].errorbar([], [], **series(m), linewidth=1.2, markersize=5, label=model)
    axes[0, 0].plot(
        [], [], "o", color="black", markerfacecolor="white", label="hollow: cannot speak about discrimination"
    )
    legend_below(figure, axes, columns=2)
    figure.suptitle("Choosing among a model's answers against drawing one at random")
    return figure
