"""Who chooses well among whose answers, as heat maps."""

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import Tables, nothing, scale, task_name, words


def draw(tables: Tables) -> Figure:
    """A panel for each task and variant at the largest k: generators in rows, who was asked in columns, the
    colour and the number DG-Diff; framed where a model was asked about its own answers.
    """
    matrix = tables["matrix"].filter(pl.col("k") == pl.col("k").max())
    crossed = matrix.filter(~pl.col("own")).select("task", "variant").unique(maintain_order=True)
    panels = crossed.rows()
    if not panels:
        return nothing("Every model was asked about its own answers alone.")
    size = matrix["discriminator"].n_unique(), matrix["model"].n_unique()
    figure, axes = subplots(
        1,
        len(panels),
        squeeze=False,
        sharey=len({task for task, _ in panels}) == 1,
        figsize=(max(len(panels) * (1.6 + 0.8 * size[0]), 5.0), 2.2 + 0.5 * size[1]),
    )
    for axis, (task, variant) in zip(axes[0], panels, strict=True):
        mine = matrix.filter((pl.col("task") == task) & (pl.col("variant") == variant))
        rows, asked = (
            mine[name].unique(maintain_order=True).to_list() for name in ("model", "discriminator")
        )
        columns = sorted(asked, key=lambda name: rows.index(name) if name in rows else len(rows))
        factor = scale(mine["unit"].item(0))
        shown = np.full((len(rows), len(columns)), np.nan)
        for row in mine.drop_nulls("dg_diff").iter_rows(named=True):
            place = rows.index(row["model"]), columns.index(row["discriminator"])
            shown[place] = factor * row["dg_diff"]
            axis.text(*place[::-1], f"{shown[place]:+.1f}", ha="center", va="center", fontsize="small")
            if row["own"]:
                corner = (place[1] - 0.47, place[0] - 0.47)
                axis.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, linewidth=1.5))
        largest = np.nanmax(np.abs(shown), initial=0.01)
        axis.imshow(shown, cmap="RdBu", vmin=-1.6 * largest, vmax=1.6 * largest)
        axis.set_xticks(range(len(columns)), [words(name) for name in columns], rotation=30, ha="right")
        axis.set_yticks(range(len(rows)), [words(name) for name in rows])
        axis.grid(visible=False)
        axis.set_title(words(f"{task_name(task)}, {variant}"))
    axes[0, 0].set_ylabel("whose answers")
    axes[0, 0].set_xlabel("who was asked")
    figure.suptitle("DG-Diff by who is asked about whose answers")
    return figure
