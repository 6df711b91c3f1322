"""The first screen of the report: the finding in one sentence, and one figure of all ways of choosing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from selfincorrect.discriminate.selectors.page import about
from selfincorrect.discriminate.selectors.registry import askers
from selfincorrect.measure.discernment import ends
from selfincorrect.report.shown import score, task_name
from selfincorrect.report.ways import corrected

LINES = ("random", "majority", "oracle")  # selectors that the panel shows as lines, not as rows
MARGIN = 0.04  # of the axis, left free at both ends
SHOWN = 4  # panels that are open; the others are folded


@dataclass(frozen=True)
class Way:
    """A row of a panel. Places are percent of the axis; `luck` is what a preference for positions gains."""

    name: str
    gain: str
    luck: str
    interval: str
    place: float
    low: float | None
    high: float | None
    luck_place: float | None
    speaks: bool
    knows: bool


@dataclass(frozen=True)
class Panel:
    """All ways of choosing among the candidates of one model on one task, at the largest k."""

    model: str
    task: str
    k: int
    questions: int
    mixed: int
    s_gen: str
    majority: str
    oracle: str
    unit: str
    zero: float
    vote: float
    best: float
    ways: list[Way]


def sentence(metrics: pl.DataFrame, knowing: Collection[str]) -> str:
    """The finding of a run: how the model's own choice, by the first way of asking it, compares with
    drawing a candidate, over models and tasks at the largest k; and which other way does best.

    Ways of `metrics` are named as in a `shown.labelled` table; those of `knowing` use the grades, and are
    no finding. Of ways that a model was asked in, only what survives a correction for all cells counts.
    """
    told = _verdicts(_largest(metrics).filter(~pl.col("variant").is_in(list(knowing)) & (pl.col("n") > 0)))
    if not told.height:
        return "Nothing was chosen here that could be compared with drawing an answer."
    asked = told.filter(pl.col("selector").is_in(askers()) & _by_itself(told))
    if not asked.height:
        best = _best(told, "beats drawing an answer")
        return f"No model was asked to choose here; {best or 'no way of choosing beats drawing an answer'}."
    name = asked["variant"].item(0)
    others = told.filter(pl.col("variant") != name)
    best = _best(others, "does so") or ("no other way of choosing is shown to do so" if others.height else "")
    return f"{_own(asked.filter(pl.col('variant') == name))}{'; ' if best else ''}{best}."


def _largest(metrics: pl.DataFrame) -> pl.DataFrame:
    return metrics.filter(pl.col("k") == pl.col("k").max())


def _by_itself(told: pl.DataFrame) -> pl.Expr:
    """Cells in which the model that generated was asked, not another one."""
    if "discriminator" not in told.columns:
        return pl.lit(True)
    return pl.col("discriminator").is_null() | (pl.col("discriminator") == pl.col("model"))


def _verdicts(cells: pl.DataFrame) -> pl.DataFrame:
    """With `found`: better, worse, position (nearly all picks name one), or nothing that is shown."""
    verdict = pl.col("verdict")
    found = (
        pl.when("nearly_constant").then(pl.lit("position"))
        .when("informative", verdict.is_in(["better", "worse"])).then(verdict)
        .otherwise(pl.lit("nothing"))
    )  # fmt: skip
    return corrected(cells).with_columns(found.alias("found"))


def _own(own: pl.DataFrame) -> str:
    """How the model's own choice compares with drawing, in the cells of one way."""
    first = own.row(0, named=True)
    start = (
        f"Asked which of its {first['k']} answers is best"
        if first["selector"] == "choose"
        else f"Choosing among its {first['k']} answers by {first['variant']}"
    )
    if own.height == 1:
        gain = f"{score(first['dg_diff'], first['unit'], True)}{_points(first['unit'])}"
        where = f"on {task_name(first['task'])}"
        said = {
            "better": f"picks better than drawing one {where} ({gain})",
            "worse": f"picks worse than drawing one {where} ({gain})",
            "position": f"names position {first['top_slot']} {where}, whatever stands there",
            "nothing": f"is not shown to pick better or worse than drawing one {where}",
        }[first["found"]]
        return f"{start}, {first['model']} {said}"
    counts = {name: own.filter(pl.col("found") == name).height for name in ("better", "worse", "position")}
    more = []
    if counts["worse"]:
        more.append(f"worse in {_of(counts['worse'], own.height)}")
    if counts["position"]:
        more.append(f"it names one position, whatever stands there, in {_of(counts['position'], own.height)}")
    if not counts["better"]:
        said = "no model is shown to pick better than drawing one"
    else:
        said = f"a model picks better than drawing one in {_of(counts['better'], own.height)}"
    return f"{start}, {said}{' (' + '; '.join(more) + ')' if more else ''}"


def _best(told: pl.DataFrame, does: str) -> str:
    """The way that is better than drawing in most cells, with what it gains at most; "" where none is."""
    won = pl.col("found") == "better"
    ways = (
        told.group_by("variant", maintain_order=True)
        .agg(
            won.sum().alias("won"), pl.col("dg_diff").filter(won).sum().alias("sum"), pl.len().alias("cells")
        )
        .sort("won", "sum", descending=True, maintain_order=True)
    )
    if not ways.height or not ways["won"].item(0):
        return ""
    name, count, _, cells = ways.row(0)
    best = told.filter(won & (pl.col("variant") == name)).sort("dg_diff", descending=True).row(0, named=True)
    gain = f"{score(best['dg_diff'], best['unit'], True)}{_points(best['unit'])}"
    where = f"{best['model']} on {task_name(best['task'])}"
    most = "" if count == 1 else "up to "
    cases = "" if cells == 1 else f" in {_of(count, cells)}"
    return f"choosing by “{name}” {does}{cases}: {most}{gain} ({where})"


def _of(count: int, cells: int) -> str:
    return f"all {cells} cases" if count == cells else f"{count} of {cells} cases"


def _points(unit: str) -> str:
    return " points" if unit == "percent" else ""


def ways_told(metrics: pl.DataFrame) -> dict[str, str]:
    """What each way of choosing does, by its name: its selector in a sentence."""
    rows = _largest(metrics).select("variant", "selector").unique(maintain_order=True).iter_rows()
    return {variant: about(selector) or selector for variant, selector in rows}


def panels(metrics: pl.DataFrame, knowing: Collection[str]) -> list[Panel]:
    """A panel for each model and task at the largest k; all of one unit share an axis."""
    largest = _largest(metrics).filter(pl.col("n") > 0)
    axes = {unit: _axis(cells) for (unit,), cells in largest.group_by("unit")}
    return [
        _panel(cells, axes[cells["unit"].item(0)], set(knowing))
        for _, cells in largest.group_by("model", "task", maintain_order=True)
    ]


def _axis(cells: pl.DataFrame) -> tuple[float, float]:
    """The ends of an axis that holds every gain, its interval, the vote and the oracle."""
    values = [0.0]
    for row in cells.iter_rows(named=True):
        values += [row[name] - row["s_gen"] for name in ("majority", "oracle") if row[name] is not None]
        values += [value for value in (row["dg_diff"], row["luck"], *ends(row)) if value is not None]
    low, high = min(values), max(values)
    room = MARGIN * (high - low or 1.0)
    return low - room, high + room


def _panel(cells: pl.DataFrame, axis: tuple[float, float], knowing: set[str]) -> Panel:
    first = cells.row(0, named=True)
    unit = first["unit"]

    def place(value: float) -> float:
        return round(100 * (value - axis[0]) / (axis[1] - axis[0]), 2)

    def line(name: str) -> float:
        return place(0.0 if first[name] is None else first[name] - first["s_gen"])

    return Panel(
        model=first["model"],
        task=task_name(first["task"]),
        k=first["k"],
        questions=first["n"],
        mixed=first["mixed_questions"],
        **{name: score(first[name], unit) for name in ("s_gen", "majority", "oracle")},
        unit="points" if unit == "percent" else "grades",
        zero=place(0.0),
        vote=line("majority"),
        best=line("oracle"),
        ways=[
            _way(row, place, row["variant"] in knowing)
            for row in cells.filter(~pl.col("selector").is_in(LINES)).iter_rows(named=True)
        ],
    )


def _way(row: dict[str, Any], place: Any, knows: bool) -> Way:
    low, high = ends(row)
    bounded = low is not None and high is not None
    return Way(
        name=row["variant"],
        gain=score(row["dg_diff"], row["unit"], True),
        luck=score(row["luck"], row["unit"], True),
        interval=f"{score(low, row['unit'], True)} to {score(high, row['unit'], True)}" if bounded else "",
        place=place(row["dg_diff"]),
        low=place(low) if bounded else None,
        high=place(high) if bounded else None,
        luck_place=None if row["luck"] is None else place(row["luck"]),
        speaks=bool(row["informative"]),
        knows=knows,
    )
