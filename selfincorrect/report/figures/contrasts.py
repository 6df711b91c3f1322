"""Differences between cells, with their 95 % intervals, a row a contrast."""

import polars as pl
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import COLOURS, FAINT, errors, nothing, scale, task_name, words


def draw(contrasts: pl.DataFrame) -> Figure:
    """A panel for each unit of scores, a row a contrast; grey ones are undecided."""
    contrasts = contrasts.filter(pl.col("n") > 0)
    if not contrasts.height:
        return nothing("No contrast to show.")
    units = contrasts["unit"].unique(maintain_order=True).to_list()
    counts = [contrasts.filter(pl.col("unit") == unit).height for unit in units]
    figure, axes = subplots(
        len(units), squeeze=False, figsize=(7.5, 1.2 + 0.3 * sum(counts) + 0.5 * len(units)),
        gridspec_kw={"height_ratios": [count + 1 for count in counts]},
    )  # fmt: skip
    for axis, unit in zip(axes[:, 0], units, strict=True):
        mine = contrasts.filter(pl.col("unit") == unit).to_dicts()
        axis.axvline(0, color="black", linewidth=0.8)
        for place, row in enumerate(mine):
            axis.errorbar(
                scale(unit) * row["difference"], -place,
                xerr=errors(row["difference"], row["ci_low"], row["ci_high"], scale(unit)),
                fmt="o", color=FAINT if row["verdict"] == "undecided" else COLOURS[0],
                capsize=2, linewidth=1.2, markersize=5,
            )  # fmt: skip
        axis.set_yticks([-place for place in range(len(mine))], [words(label(row)) for row in mine])
        axis.set_ylim(0.7 - len(mine), 0.7)
        axis.set_xlabel(
            "difference of DG-Diff (points)" if unit == "percent" else "difference of DG-Diff (grade)"
        )
    figure.suptitle("What is compared with what")
    return figure


def label(row: dict[str, object]) -> str:
    """The two cells of a contrast: what they share once, what differs on both sides."""
    sides = []
    for side in ("", "other_"):
        names = [
            str(row[f"{side}{name}"]) for name in ("model", "variant") if row[name] != row[f"other_{name}"]
        ]
        if row["k"] != row["other_k"]:
            names.append(f"k = {row[f'{side}k']}")
        sides.append(" ".join(names))
    shared = [str(row[name]) for name in ("model", "variant") if row[name] == row[f"other_{name}"]]
    shared += [f"k = {row['k']}"] if row["k"] == row["other_k"] else []
    place = ", ".join([task_name(str(row["task"])), *shared])
    return place if sides == ["", ""] else f"{sides[0]} − {sides[1]} ({place})"
