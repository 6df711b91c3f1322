"""What a run found, in a few sentences: of each model and task what survives a correction for all cells."""

from collections.abc import Collection
from typing import Any

import polars as pl

from selfincorrect.measure.hypothesis import ALPHA
from selfincorrect.report.contrasts import by_how_much
from selfincorrect.report.shown import score, task_name

MANY = 4  # ways that are named before the others are counted
VOTE = "majority"


def headlines(metrics: pl.DataFrame, contrasts: pl.DataFrame, knowing: Collection[str]) -> list[str]:
    """A sentence for each model and task at the largest k: which ways choose better than drawing a candidate,
    or worse, by p adjusted over all cells (Holm) at 5 %; which beat the vote; which are a position.

    Ways are named as in `shown.labelled` tables of `metrics` and `contrasts`; those of `knowing` use the
    grades, and are no finding.
    """
    metrics = metrics.filter(~pl.col("variant").is_in(list(knowing)) | (pl.col("selector") == VOTE))
    largest = metrics.filter((pl.col("k") == pl.col("k").max()) & (pl.col("n") > 0))
    return [
        _sentence(cell, contrasts.filter(pl.col("k") == pl.col("k").max()))
        for _, cell in largest.group_by("model", "task", maintain_order=True)
    ]


def _sentence(cell: pl.DataFrame, contrasts: pl.DataFrame) -> str:
    first = cell.row(0, named=True)
    family = cell.filter(pl.col("p_holm").is_not_null() & ~pl.col("nearly_constant"))
    better = family.filter((pl.col("p_holm") <= ALPHA) & pl.col("informative"))
    worse = family.filter((pl.col("p_worse_holm") <= ALPHA) & pl.col("informative"))
    parts = []
    if better.height:
        voted = _beat_the_vote(cell, better["variant"].to_list(), contrasts)
        than = " and better than voting" if voted == better.height else ""
        parts.append(f"{_listed(better, True)} {_verb(better)} better than drawing one{than}")
        if 0 < voted < better.height:
            parts.append(f"{'one' if voted == 1 else voted} of them better than voting")
    if worse.height:
        parts.append(f"{_listed(worse, False)} {_verb(worse)} worse")
    parts += _other_judges(first, contrasts)
    if constant := [_position(row) for row in cell.filter("nearly_constant").to_dicts()]:
        parts.append("; ".join(constant))
    where = f"{first['model']} on {task_name(first['task'])}"
    if not parts:
        why = " (no question is mixed)" if not first["mixed_questions"] else ""
        return f"{where}: no way of choosing is shown to be better or worse than drawing one{why}."
    return f"{where}: {'; '.join(parts)}."


def _listed(cells: pl.DataFrame, best: bool) -> str:
    """The ways with what they gain, those that differ most first."""
    rows = cells.sort("dg_diff", descending=best, maintain_order=True).to_dicts()
    told = [f"{row['variant']} ({_gain(row)})" for row in rows[:MANY]]
    more = [f"{len(rows) - MANY} more"] if len(rows) > MANY else []
    names = [*told, *more]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(cells: pl.DataFrame) -> str:
    return "chooses" if cells.height == 1 else "choose"


def _gain(row: dict[str, Any]) -> str:
    return f"{score(row['dg_diff'], row['unit'], True)}{' points' if row['unit'] == 'percent' else ''}"


def _position(row: dict[str, Any]) -> str:
    share = f"{100 * row['top_slot_share']:.0f} %"
    return f"{row['variant']} names position {row['top_slot']} in {share} of its answers"


def _other_judges(first: dict[str, Any], contrasts: pl.DataFrame) -> list[str]:
    """Which other models pick better or worse among a model's answers than it does itself, the same way."""
    if "discriminator" not in contrasts.columns:
        return []
    name = pl.format("{} by {}", "other_variant", "discriminator")
    mine = contrasts.filter(
        (pl.col("model") == first["model"])
        & (pl.col("task") == first["task"])
        & (pl.col("other_model") == first["model"])
        & (pl.col("variant") == name)
        & (pl.col("verdict") != "undecided")
    )
    return [
        f"{row['variant']} picks {row['verdict']} than {first['model']} itself ({by_how_much(row)})"
        for row in mine.to_dicts()
    ]


def _beat_the_vote(cell: pl.DataFrame, ways: list[str], contrasts: pl.DataFrame) -> int:
    """How many of `ways` pick better than the majority vote, by the contrasts of the run."""
    votes = cell.filter(pl.col("selector") == VOTE)["variant"].to_list()
    model, task = cell.select("model", "task").row(0)
    against = contrasts.filter(
        (pl.col("model") == model)
        & (pl.col("task") == task)
        & pl.col("other_variant").is_in(votes)
        & (pl.col("verdict") == "better")
    )
    return sum(way in set(against["variant"]) for way in ways)
