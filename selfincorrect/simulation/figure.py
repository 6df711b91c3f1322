"""How the tests, the intervals and the power formula fare where the truth is known."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import COLOURS, MARKERS


def draw(rejections: pl.DataFrame, coverage: pl.DataFrame, power: pl.DataFrame) -> Figure:
    """Three panels: rejections for a uniform chooser, coverage of 95 % intervals, and power."""
    figure, (left, middle, right) = subplots(
        1, 3, figsize=(11, 3.9), gridspec_kw={"width_ratios": [1.2, 1.2, 1]}
    )
    tests = [f"{row['test']} ({row['grades']})" for row in rejections.iter_rows(named=True)]
    _rows(left, tests, 100 * rejections["rejected"], rejections["draws"][0], (4, 6), 5)
    left.set_title("Tests at 5 %, choices uniform")
    left.set_xlabel("rejected (% of draws)")
    names = [f"{row['interval']}, skill {row['skill']:g}" for row in coverage.iter_rows(named=True)]
    _rows(middle, names, 100 * coverage["covered"], coverage["draws"][0], (93, 97), 95)
    middle.set_title("95 % intervals")
    middle.set_xlabel("hold the truth (% of draws)")
    effect, found = 100 * power["effect"], 100 * power["found"]
    right.plot(effect, 100 * power["formula"], "-", color=COLOURS[0], label="formula")
    right.plot(effect, found, MARKERS[1], color=COLOURS[1], markersize=5, label="simulated")
    right.axhline(80, color="black", linestyle="--", linewidth=0.8)
    right.set_title("Power, randomisation test")
    right.set_xlabel("planted DG-Diff (points)")
    right.set_ylabel("found (% of draws)")
    right.legend()
    return figure


def _rows(
    axis: Axes, labels: list[str], values: pl.Series, draws: int, band: tuple[float, float], nominal: float
) -> None:
    """Draw a dot for each row with twice its standard error, the band allowed and the nominal value."""
    axis.axvspan(*band, color="#e3eef6", zorder=0)
    axis.axvline(nominal, color="black", linestyle="--", linewidth=0.8)
    for place, value in enumerate(values):
        span = 2 * (value * (100 - value) / draws) ** 0.5
        look = 0 if band[0] <= value <= band[1] else 1
        marker, colour = MARKERS[look], COLOURS[look]
        axis.errorbar(
            value, -place, xerr=span, fmt=marker, color=colour, markersize=4.5, capsize=2, linewidth=1
        )
    axis.set_yticks([-place for place in range(len(labels))], labels)
