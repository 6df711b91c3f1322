"""Who chooses well among whose answers, as heat maps."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.pyplot import subplots

from selfincorrect.measure.hypothesis import ALPHA
from selfincorrect.report.figures.style import FAINT, Tables, nothing, scale, task_name, words


def draw(tables: Tables) -> Figure:
    """A panel for each task and variant at the largest k: generators in rows, who was asked in columns, the
    colour and the number DG-Diff; framed where a model was asked about its own answers, without colour where
    it cannot speak about discrimination.
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
        figsize=(max(len(panels) * (1.8 + 1.0 * size[0]), 5.0), 2.2 + 0.6 * size[1]),
    )
    gains = {row["unit"]: 0.0 for row in matrix.iter_rows(named=True)}
    for row in matrix.drop_nulls("dg_diff").iter_rows(named=True):
        gains[row["unit"]] = max(gains[row["unit"]], scale(row["unit"]) * abs(row["dg_diff"]), 0.01)
    for axis, (task, variant) in zip(axes[0], panels, strict=True):
        mine = matrix.filter((pl.col("task") == task) & (pl.col("variant") == variant))
        rows, asked = (
            mine[name].unique(maintain_order=True).to_list() for name in ("model", "discriminator")
        )
        columns = sorted(asked, key=lambda name: rows.index(name) if name in rows else len(rows))
        unit = mine["unit"].item(0)
        shown = np.full((len(rows), len(columns)), np.nan)
        for row in mine.drop_nulls("dg_diff").iter_rows(named=True):
            place = rows.index(row["model"]), columns.index(row["discriminator"])
            gain = scale(unit) * row["dg_diff"]
            shown[place] = gain if row["informative"] else np.nan
            colour = "black" if row["informative"] else FAINT
            axis.text(*place[::-1], _told(row, gain), ha="center", va="center", fontsize=6.5, color=colour)
            if row["own"]:
                corner = (place[1] - 0.47, place[0] - 0.47)
                axis.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, linewidth=1.5))
        largest = 1.4 * gains[unit]  # one scale for all panels of a unit
        image = axis.imshow(shown, cmap="RdBu", vmin=-largest, vmax=largest)
        axis.set_xticks(range(len(columns)), [words(name) for name in columns], rotation=30, ha="right")
        axis.set_yticks(range(len(rows)), [words(name) for name in rows])
        axis.grid(visible=False)
        axis.set_title(words(f"{task_name(task)}, {variant}"))
    figure.colorbar(image, ax=axes, shrink=0.7, label="DG-Diff")
    axes[0, 0].set_ylabel("whose answers")
    axes[0, 0].set_xlabel("who was asked")
    figure.suptitle("DG-Diff by who is asked about whose answers")
    return figure


def _told(row: dict[str, Any], gain: float) -> str:
    """DG-Diff with its interval, and a star where better or worse survives Holm."""
    sure = any(row[name] is not None and row[name] <= ALPHA for name in ("p_holm", "p_worse_holm"))
    factor = scale(row["unit"])
    text = f"{gain:+.1f}{'*' if sure and row['informative'] else ''}"
    if row["ci_low"] is None:
        return text
    return f"{text}\n[{factor * row['ci_low']:+.1f}, {factor * row['ci_high']:+.1f}]"
