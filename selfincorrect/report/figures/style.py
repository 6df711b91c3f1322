"""The look of all figures: colours that colour-blind readers can tell apart and that survive a grey print."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import polars as pl

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray

from selfincorrect.discriminate.selectors.registry import askers, owned
from selfincorrect.io import atomic
from selfincorrect.report.shown import task_name as task_name

# Okabe and Ito's palette, without yellow, which is lost on paper; every series has a marker of its own too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAINT = "#9a9a9a"
Tables = Mapping[str, pl.DataFrame]  # by name: metrics, slots, best_of
NO_CELLS = "No cell to show."


def apply(settings: Mapping[str, Any]) -> None:
    """Set matplotlib's defaults from the configuration's `figures` section."""
    size = settings["font_size"]
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "font.size": size, "axes.titlesize": size, "figure.titlesize": size + 1,
            "legend.fontsize": size - 1,
            "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
            "axes.grid": True, "grid.color": "#e6e6e6", "grid.linewidth": 0.6,
            "savefig.dpi": settings["dpi"], "figure.constrained_layout.use": True,
            "pdf.fonttype": 42, "svg.hashsalt": "selfincorrect", "legend.frameon": False,
            "figure.titleweight": "bold",
        }
    )  # fmt: skip


def comparable(metrics: pl.DataFrame) -> pl.DataFrame:
    """The cells that a figure of DG-Diff compares: choices of models; where there are none, rules other
    than the oracle.
    """
    metrics = metrics.filter(pl.col("n") > 0)
    asked = pl.col("selector").is_in([*askers(), *owned()]) | pl.col("discriminator").is_not_null()
    chosen = metrics.filter(asked)
    return chosen if chosen.height else metrics.filter(pl.col("selector") != "oracle")


def nothing(text: str) -> Figure:
    """A figure that says why there is nothing to show."""
    figure, axis = plt.subplots(figsize=(5, 1.2))
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def save(figure: Figure, paths: list[str]) -> None:
    """Write a figure to each path, in the format of its ending; the bytes depend on the figure alone."""
    for path in paths:
        kind = Path(path).suffix[1:]
        metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
        with atomic(path) as file:
            figure.savefig(file, format=kind, metadata=metadata)
    plt.close(figure)


def series(index: int) -> dict[str, Any]:
    """Colour and marker of the series number `index`; 49 pairs differ."""
    turn = index // len(COLOURS)
    return {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[(index + turn) % len(MARKERS)]}


def scale(unit: str) -> float:
    """What a score is multiplied with to be shown: 100 for percent, 1 for grades."""
    return 100.0 if unit == "percent" else 1.0


def unit_of(metrics: pl.DataFrame, task: str) -> str:
    """What the scores of a task are, "percent" or "grade"."""
    return str(metrics.filter(pl.col("task") == task)["unit"].item(0))


def difference_label(metrics: pl.DataFrame, task: str) -> str:
    return "DG-Diff (points)" if unit_of(metrics, task) == "percent" else "DG-Diff (grade)"


def errors(
    value: float | None, low: float | None, high: float | None, factor: float = 100
) -> list[list[float]] | None:
    """Interval as matplotlib's asymmetric error, times `factor`; None if there is none."""
    if value is None or low is None or high is None:
        return None
    return [[factor * max(value - low, 0)], [factor * max(high - value, 0)]]


def legend_below(figure: Figure, axes: NDArray[Any], columns: int = 3) -> None:
    """One legend for all `axes`, with each label once, below them."""
    entries: dict[str, Any] = {}
    for axis in axes.flat:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=columns)


def words(text: str) -> str:
    """A name as a figure shows it: no mathematics between dollar signs."""
    return text.replace("$", r"\$")
