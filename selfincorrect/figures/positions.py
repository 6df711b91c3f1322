"""How often each shown position is picked."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.figures.style import errors, legend_below, nothing, series, task_name


def draw(metrics: pl.DataFrame, slots: pl.DataFrame) -> Figure:
    """A panel for each model × task and k; a series a variant; the dashed line is an even choice."""
    rows = slots.select("model", "task").unique(maintain_order=True).rows()
    if not rows:
        return nothing("No model was asked to choose here.")
    ks = sorted(slots["k"].unique())
    variants = slots["variant"].unique(maintain_order=True).to_list()
    figure, axes = subplots(
        len(ks),
        len(rows),
        squeeze=False,
        sharey=True,
        figsize=(max(1.0 + 1.75 * len(rows), 5.0), 1.4 + 1.7 * len(ks)),
    )
    for j, (model, task) in enumerate(rows):
        for i, k in enumerate(ks):
            axis = axes[i, j]
            axis.axhline(100 / k, color="black", linestyle="--", linewidth=0.8, label="even choice")
            for index, variant in enumerate(variants):
                mine = slots.filter(
                    (pl.col("model") == model) & (pl.col("task") == task)
                    & (pl.col("k") == k) & (pl.col("variant") == variant) & pl.col("share").is_not_null()
                )  # fmt: skip
                shift = (index - (len(variants) - 1) / 2) * 0.16
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
                axis.set_title(f"{model}\n{task_name(task)}", fontsize="small")
            if i == len(ks) - 1:
                axis.set_xlabel("position shown")
            if j == 0:
                axis.set_ylabel(f"k = {k}\npicked (%)")
    legend_below(figure, axes[0, 0])
    figure.suptitle("Which position the models pick")
    return figure
