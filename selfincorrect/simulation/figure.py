"""How the tests, the intervals and the power formula fare where the truth is known."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from selfincorrect.report.figures.style import COLOURS, MARKERS, series


def draw(rejections: pl.DataFrame, coverage: pl.DataFrame, power: pl.DataFrame) -> Figure:
    """Three panels: rejections for a uniform chooser, coverage of 95 % intervals, and power."""
    figure, (left, middle, right) = subplots(
        1, 3, figsize=(13, 4.2), gridspec_kw={"width_ratios": [1.2, 1.2, 1]}
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
    right.set_title("Power")
    right.set_xlabel("DG-Diff (points)")
    right.set_ylabel("found (% of draws)")
    right.legend()
    return figure


def worlds(
    worlds: pl.DataFrame, worlds_coverage: pl.DataFrame, skill_found: pl.DataFrame, looks: pl.DataFrame
) -> Figure:
    """Three panels: rejections without skill and coverage, a mark a kind of pool, and what is found of skill,
    or of none, looking again and again.
    """
    figure, (left, middle, right) = subplots(
        1, 3, figsize=(12, 5), gridspec_kw={"width_ratios": [1.2, 1.1, 0.9]}
    )
    kinds = worlds["world"].unique(maintain_order=True).to_list()
    known = worlds.filter(pl.col("holds").is_not_null())
    _marks(left, known, kinds, ("test",), "rejected", (3, 5.5), 5)
    left.set_title("Tests at 5 %, no skill")
    left.set_xlabel("rejected (% of draws)")
    _marks(middle, worlds_coverage, kinds, ("interval", "skill"), "covered", (93, 97), 95)
    middle.set_title("95 % intervals")
    middle.set_xlabel("hold the truth (% of draws)")
    bars = [(f"{row['test']}, skill {row['skill']:g}", row["found"]) for row in skill_found.to_dicts()]
    bars += [(f"{row['test']}, no skill", row["better"]) for row in looks.to_dicts()]
    right.barh([-place for place in range(len(bars))], [100 * value for _, value in bars], color=COLOURS[0])
    right.axvline(5, color="black", linestyle="--", linewidth=0.8)
    right.set_yticks([-place for place in range(len(bars))], [label for label, _ in bars])
    right.set_title("1,319 questions")
    right.set_xlabel("called better (% of draws)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _marks(
    axis: Axes, table: pl.DataFrame, kinds: list[str], columns: tuple[str, ...], column: str,
    band: tuple[float, float], nominal: float,
) -> None:  # fmt: skip
    """A row for each value of the `columns`, in it a mark a kind of pool."""
    labels = table.select(columns).unique(maintain_order=True).rows()
    axis.axvspan(*band, color="#e3eef6", zorder=0)
    axis.axvline(nominal, color="black", linestyle="--", linewidth=0.8)
    for number, kind in enumerate(kinds):
        mine = table.filter(pl.col("world") == kind)
        places = [
            -labels.index(row) - 0.06 * (number - len(kinds) / 2) for row in mine.select(columns).rows()
        ]
        axis.plot(100 * mine[column], places, linestyle="", markersize=4.5, label=kind, **series(number))
    names = [label[0] if len(label) == 1 else f"{label[0]}, skill {label[1]:g}" for label in labels]
    axis.set_yticks([-place for place in range(len(labels))], names)


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
