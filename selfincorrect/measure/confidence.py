"""What scores say beside the choice: whether probabilities come true, whether right candidates score higher,
and how accurate the surest choices are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import best_of
from selfincorrect.measure.intervals import LEVEL, Array, interval
from selfincorrect.measure.scores import Row

BINS = 10  # of equal mass
DRAWS = 1_000  # of clusters, for the interval of the calibration error
COLUMNS = ("p_comp", "p_comp_low", "p_comp_high", "brier", "ece", "ece_low", "ece_high", "aurc")


def confidence(table: pl.DataFrame, f: Array, c: Array, seed: int, scale: bool) -> Row:
    """The columns of confidence, of a table as `cell` takes it; None where its scores are not known or tell
    only which candidate was chosen.
    """
    row: Row = dict.fromkeys(COLUMNS)
    known = table["scores"].to_list() if "scores" in table.columns else [None] * len(f)
    graded = any(value not in (None, 0, 1) for each in known for value in each or ())
    if not graded:
        return row
    clusters = table["cluster"].to_numpy()
    beats = np.array([beating(grades, scores) for grades, scores in zip(f, known, strict=True)])
    mixed = ~np.isnan(beats)
    if mixed.any():
        row["p_comp"] = beats[mixed].mean()
        ends = interval(beats[mixed], clusters[mixed])
        row["p_comp_low"], row["p_comp_high"] = (
            None if end is None else float(np.clip(end, 0, 1)) for end in ends
        )
    valid = table["chosen_sample"].is_not_null().to_numpy()
    if scale or not valid.any():
        return row
    margins = np.array(margins_of(table))[valid]
    row["aurc"] = float(1 - accuracy_by_margin(margins, c[valid]).mean())
    if table["probabilities"][0]:
        chosen = [known[place] or () for place in np.flatnonzero(valid)]
        said = np.array([max(score for score in scores if score is not None) for scores in chosen])
        row["brier"] = float(((said - c[valid]) ** 2).mean())
        row |= calibration_error(said, c[valid], clusters[valid], seed_of("calibration", seed))
    return row


def beating(grades: Sequence[float], scores: Sequence[float | None] | None) -> float:
    """The share of pairs of one question in which the candidate of the better grade has the higher score,
    ties one half; NaN where no pair differs in grade and has scores.
    """
    known = [(grade, score) for grade, score in zip(grades, scores or (), strict=False) if score is not None]
    worth, said = np.array(known, dtype=float).reshape(-1, 2).T
    better = worth[:, None] > worth[None, :]
    beats = (said[:, None] > said[None, :]) + 0.5 * (said[:, None] == said[None, :])
    return float(beats[better].mean()) if better.any() else np.nan


def margins_of(table: pl.DataFrame) -> list[float | None]:
    """By how much the chosen answer of each item scores above the next other answer; None without a choice.

    Candidates with one normal form are one answer. Where there is no other, it is the score itself of a
    probability, else infinite. None too where there are no scores.
    """
    if "scores" not in table.columns:
        return [None] * table.height
    rows = table.select("scores", "probabilities", "extracted", "chosen_sample").iter_rows()
    return [
        None if chosen is None else _margin(scores, forms, bool(probabilities))
        for scores, probabilities, forms, chosen in rows
    ]


def _margin(
    scores: Sequence[float | None] | None, forms: Sequence[str | None], probabilities: bool
) -> float | None:
    best = best_of(scores or ())
    if not best or scores is None:
        return None
    same = {forms[best[0]]} - {None}
    others = [
        score
        for place, score in enumerate(scores)
        if score is not None and place != best[0] and forms[place] not in same
    ]
    top = scores[best[0]] or 0.0
    if others:
        return round(top - max(others), 12)  # so that margins tie that differ by rounding alone
    return top if probabilities else float("inf")


def accuracy_by_margin(margins: Array, c: Array) -> Array:
    """The mean grade of the 1, 2, … n choices with the largest margins, [n]; those that tie are alike."""
    _, place, counts = np.unique(-margins, return_inverse=True, return_counts=True)
    alike = (np.bincount(place, weights=c) / counts)[place]
    return np.cumsum(alike[np.argsort(-margins, kind="stable")]) / np.arange(1, len(c) + 1)


def calibration_error(said: Array, c: Array, clusters: NDArray[Any], seed: int) -> Row:
    """Expected calibration error of probabilities `said` [n] of outcomes `c` [n], `ece`, with a 95 % interval
    by cluster bootstrap.

    BINS of equal mass; a probability that falls on a border is shared by both bins.
    """
    kinds, kind = np.unique(said, return_inverse=True)
    names, member = np.unique(clusters, return_inverse=True)
    rng, found = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))[member]
        found.append(_error(kinds, kind, c, weights.astype(float)))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"ece": _error(kinds, kind, c, np.ones(len(c))), "ece_low": float(low), "ece_high": float(high)}


def _error(kinds: Array, kind: NDArray[np.int64], c: Array, weights: Array) -> float:
    mass, right = np.bincount(kind, weights, len(kinds)), np.bincount(kind, weights * c, len(kinds))
    total = np.concatenate([[0.0], np.cumsum(mass)])
    gap = np.concatenate([[0.0], np.cumsum(mass * kinds - right)])  # what was said too much, up to each kind
    edges = np.linspace(0, total[-1], BINS + 1)
    return float(np.abs(np.diff(np.interp(edges, total, gap))).sum() / total[-1])
