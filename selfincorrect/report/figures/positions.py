"""How often each shown position is picked."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import Tables, errors, legend_below, nothing, series, task_name


def draw(tables: Tables) -> Figure:
    """A row of panels for each model and k, a column a task; a series a variant; the dashed line is an
    even choice.
    """
    slots = tables["slots"]
    rows = slots.select("model", "k").unique(maintain_order=True).rows()
    if not rows:
        return nothing("No model was asked to choose here.")
    tasks = slots["task"].unique(maintain_order=True).to_list()
    variants = slots["variant"].unique(maintain_order=True).to_list()
    figure, axes = subplots(
        len(rows),
        len(tasks),
        squeeze=False,
        sharey=True,
        figsize=(max(1.0 + 1.9 * len(tasks), 5.0), 1.4 + 1.7 * len(rows)),
    )
    width = 0.64 / max(len(variants), 2)
    for i, (model, k) in enumerate(rows):
        for j, task in enumerate(tasks):
            axis = axes[i, j]
            axis.axhline(100 / k, color="black", linestyle="--", linewidth=0.8, label="even choice")
            for index, variant in enumerate(variants):
                mine = slots.filter(
                    (pl.col("model") == model) & (pl.col("task") == task)
                    & (pl.col("k") == k) & (pl.col("variant") == variant) & pl.col("share").is_not_null()
                )  # fmt: skip
                shift = (index - (len(variants) - 1) / 2) * width
                for number, row in enumerate(mine.iter_rows(named=True)):
                    axis.errorbar(
                        row["position"] + shift, 100 * row["share"],
                        yerr=errors(row["share"], row["ci_low"], row["ci_high"]),
                        **series(index), linestyle="none", capsize=2, linewidth=1, markersize=4.5,
                        label=variant if number == 0 else None,
                    )  # fmt: skip
            axis.set_xticks(range(1, k + 1))
            axis.set_xlim(0.5, k + 0.5)
            axis.set_ylim(-3, 103)
            if i == 0:
                axis.set_title(task_name(task))
            if i == len(rows) - 1:
                axis.set_xlabel("position shown")
        axes[i, 0].set_ylabel(f"{model}\nk = {k}: picked (%)", fontsize="small")
    legend_below(figure, axes)
    figure.suptitle("Which position the models pick")
    return figure
