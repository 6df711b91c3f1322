"""Scores against compute: what each way of choosing scores for what it takes, beside votes."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.measure.budget import band, front, overtakes, resampled
from selfincorrect.measure.intervals import LEVEL, Array
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, TEXT, VARIANT
from selfincorrect.report.curves import Curve

_RULE = (
    "how it goes on: empty where all is asked that the variant asks; `stop P`: votes that stop once the "
    "first answer stays ahead with probability P; `split S`: votes, and the variant's own choice where the "
    "first answer has less than the share S of them"
)
_UNIT = "what is counted: `operations`, or `tokens` (read and written) where a model's size is not known"
_COUNTED = "`shared`: demonstrations are read for other questions anyway; `alone`: they count too"
_BUDGET = (
    "what a question takes from which on it scores more than votes do for as much, at every budget up to "
    "what votes over the whole pool take; "
    "empty: not within the pool"
)
COMPUTE = [
    MODEL, TASK, VARIANT, DISCRIMINATOR,
    Column("rule", TEXT, _RULE),
    Column("j", COUNT, "candidates that are drawn at most, and chosen among"),
    Column("n", COUNT, "candidates of the pool that were looked at"),
    Column("questions", COUNT, "items"),
    Column("labels_used", pl.Boolean, "whether it uses the grades: it is a control, and no choice"),
    Column("exact", pl.Boolean, "whether any j of the n candidates are meant (all subsets, or seeded ones), "
        "and not the first j, which the model was asked about"),
    Column("score", NUMBER, "expected grade of the choice", "score"),
    Column("ci_low", NUMBER, "lower end of its 95 % interval: resampled questions", "score"),
    Column("ci_high", NUMBER, "upper end", "score"),
    Column("tokens_own", NUMBER, "tokens read a question, drawing and choosing: what its prompts share "
        "once, demonstrations not at all"),
    Column("tokens_alone", NUMBER, "the same with demonstrations, as if each question stood alone"),
    Column("tokens_written", NUMBER, "tokens written a question"),
    Column("operations", NUMBER, "operations of these, without demonstrations: 2 · parameters a token, and "
        "attention"),
    Column("operations_alone", NUMBER, "the same with demonstrations"),
    Column("front", pl.Boolean, "whether nothing else takes as little and scores as much, controls aside; of "
        "equal rows the first"),
]  # fmt: skip
OVERTAKING = [
    MODEL, TASK, VARIANT, DISCRIMINATOR,
    Column("rule", TEXT, "as of `compute`"),
    Column("counted", TEXT, _COUNTED),
    Column("unit", TEXT, _UNIT),
    Column("budget", NUMBER, _BUDGET),
    Column("budget_low", NUMBER, "lower end of its 95 % interval: resampled questions"),
    Column("budget_high", NUMBER, "upper end; empty: not within this pool"),
    Column("overtaken", NUMBER, "share of resamples in which it overtakes votes within the pool", "share"),
    Column("pool", NUMBER, "what votes take that have the whole pool"),
]  # fmt: skip


def compute_tables(
    curves: Sequence[Curve], knowing: Collection[str], votes: Collection[str], seed: int
) -> dict[str, pl.DataFrame]:
    """Rows of COMPUTE and of OVERTAKING; variants of `knowing` use the grades, those of `votes` vote."""
    rows: list[dict[str, Any]] = []
    overtaking: list[dict[str, Any]] = []
    for _, group in groupby(curves, key=lambda curve: curve[:2]):
        mine = list(group)
        rows += [row for curve in mine for row in _rows(curve, curve.variant in knowing, seed)]
        standard = next((each for each in mine if each.variant in votes and not each.rule), None)
        if standard is not None:
            others = [each for each in mine if each is not standard and each.variant not in knowing]
            overtaking += [row for each in others for row in _overtaking(each, standard, seed)]
    compute = pl.DataFrame(rows, schema=schema_of(COMPUTE)).fill_nan(None)
    return {
        "compute": compute.with_columns(pl.Series("front", _front(compute), dtype=pl.Boolean)),
        "overtaking": pl.DataFrame(overtaking, schema=schema_of(OVERTAKING)).fill_nan(None),
    }


def _rows(curve: Curve, knowing: bool, seed: int) -> Iterator[dict[str, Any]]:
    low, high = band(resampled(curve.clusters, seed).means(curve.scores))
    took = curve.effort
    for place, j in enumerate(curve.many):
        yield {
            **_named(curve),
            "j": j,
            "n": curve.n,
            "questions": len(curve.scores),
            "labels_used": knowing,
            "exact": curve.exact,
            "score": curve.scores[:, place].mean(),
            "ci_low": low[place],
            "ci_high": high[place],
            "tokens_own": took.read[:, place].mean(),
            "tokens_alone": took.alone[:, place].mean(),
            "tokens_written": took.written[:, place].mean(),
            "operations": took.operations[:, place].mean(),
            "operations_alone": took.operations_alone[:, place].mean(),
        }


def _named(curve: Curve) -> dict[str, Any]:
    return {
        "model": curve.model,
        "task": curve.task,
        "variant": curve.variant,
        "discriminator": curve.discriminator,
        "rule": curve.rule,
    }


def with_cost(compute: pl.DataFrame) -> pl.DataFrame:
    """Rows of COMPUTE with the `cost` of a question in its `unit`: operations, or tokens where a panel, a
    model and task, has a row whose operations alone are not known. Demonstrations are left out.
    """
    known = pl.col("operations").is_not_null() | pl.col("tokens_own").is_null()
    unit = pl.when(known.all().over("model", "task")).then(pl.lit("operations")).otherwise(pl.lit("tokens"))
    tokens = pl.col("tokens_own") + pl.col("tokens_written")
    counted = pl.when(pl.col("unit") == "operations").then("operations").otherwise(tokens)
    return compute.with_columns(unit.alias("unit")).with_columns(counted.alias("cost"))


def _front(compute: pl.DataFrame) -> list[bool]:
    """Whether each row is on the front of its panel."""
    found = [False] * compute.height
    rows = with_cost(compute).with_row_index("place").filter(~pl.col("labels_used"))
    for _, mine in rows.group_by("model", "task", maintain_order=True):
        ahead = front(mine["cost"].to_list(), mine["score"].to_list())
        for place, is_on in zip(mine["place"], ahead, strict=True):
            found[place] = is_on
    return found


def _costs(curve: Curve, unit: str, counted: str) -> Array:
    took = curve.effort
    if unit == "operations":
        return took.operations if counted == "shared" else took.operations_alone
    return (took.read if counted == "shared" else took.alone) + took.written


def _overtaking(curve: Curve, standard: Curve, seed: int) -> Iterator[dict[str, Any]]:
    """The budget from which on a way scores more than votes, on the items that both have."""
    curve, standard = curve.of(standard.names), standard.of(curve.names)
    if not len(curve.names):
        return
    known = [np.isfinite(each.effort.operations).all() for each in (curve, standard)]
    unit = "operations" if all(known) else "tokens"
    draws = resampled(curve.clusters, seed)
    for counted in ("shared", "alone"):
        mine, theirs = (_costs(each, unit, counted) for each in (curve, standard))
        if np.isnan(mine).any() or np.isnan(theirs).any():
            continue
        [budget] = overtakes(
            *(each.mean(axis=0)[None] for each in (mine, curve.scores, theirs, standard.scores))
        )
        found = overtakes(*(draws.means(each) for each in (mine, curve.scores, theirs, standard.scores)))
        low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
        yield {
            **_named(curve),
            "counted": counted,
            "unit": unit,
            **{
                name: value if np.isfinite(value) else None
                for name, value in (("budget", budget), ("budget_low", low), ("budget_high", high))
            },
            "overtaken": float(np.isfinite(found).mean()),
            "pool": theirs.mean(axis=0)[-1],
        }
