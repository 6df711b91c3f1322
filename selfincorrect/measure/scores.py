"""Scores of one cell and where they come from: mixed questions, baselines, headroom, and other rules for
invalid outputs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import comb

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import best_of
from selfincorrect.discriminate.choices import distinct
from selfincorrect.discriminate.selectors.majority import vote_shares
from selfincorrect.measure import intervals
from selfincorrect.measure.intervals import Array, clustered_se, interval, score_interval

FEW_MIXED = 5  # with fewer mixed questions, a bootstrap of them is no interval

Row = dict[str, Any]


def scores(f: Array, c: Array, clusters: NDArray[Any], scale: bool = False) -> Row:
    """Generation and discrimination score, and their difference; of grades on a `scale` or of fractions."""
    p = f.mean(axis=1)
    d = c - p
    gen, disc = score_interval(p, clusters, scale), score_interval(c, clusters, scale)
    ci = interval(d, clusters)
    return {
        "s_gen": p.mean(), "s_gen_low": gen[0], "s_gen_high": gen[1],
        "s_disc": c.mean(), "s_disc_low": disc[0], "s_disc_high": disc[1],
        "dg_diff": d.mean(), "se": clustered_se(d, clusters), "ci_low": ci[0], "ci_high": ci[1],
    }  # fmt: skip


def anatomy(
    f: Array, c: Array, clusters: NDArray[Any], table: pl.DataFrame, k: int, seed: int, scale: bool
) -> Row:
    """Where a difference can come from: mixed questions, the baselines above, and the share of the
    headroom used.
    """
    totals = totals_of(f, table["asked"].to_numpy())
    p, best, mixed = f.mean(axis=1), best_grades(f, totals), is_mixed(totals)
    headroom, some = best - p, bool(mixed.any())
    votes = np.array([majority_grade(*pair) for pair in table.select("extracted", "grade").iter_rows()])
    oracle, vote = score_interval(best, clusters, scale), score_interval(votes, clusters, scale)
    over_vote = interval(c - votes, clusters)
    enough = mixed.sum() >= FEW_MIXED
    share = (
        intervals.ratio_interval(c - p, headroom, clusters, seed_of("bootstrap", seed))
        if enough
        else intervals.NONE
    )
    binary = not scale and is_binary(f)
    return {
        "mixed": mixed.mean(), "mixed_questions": int(mixed.sum()),
        "s_gen_mixed": p[mixed].mean() if some else None,
        "s_disc_mixed": c[mixed].mean() if some else None,
        "dg_diff_mixed": (c - p)[mixed].mean() if some else None,
        "best_mixed": _best(totals, table)[mixed].mean() if some else None,
        "oracle": best.mean(), "oracle_low": oracle[0], "oracle_high": oracle[1],
        "majority": votes.mean(), "majority_low": vote[0], "majority_high": vote[1],
        "disc_minus_majority": (c - votes).mean(),
        "disc_minus_majority_low": over_vote[0], "disc_minus_majority_high": over_vote[1],
        "headroom": headroom.mean(),
        "headroom_share": (c - p).sum() / headroom.sum() if some else None,
        "headroom_share_low": share[0], "headroom_share_high": share[1],
        "pass_at_k": np.mean([_pass_at_k(each, k) for each in table["pool"]]) if binary else None,
    }  # fmt: skip


def invalid(f: Array, c: Array, table: pl.DataFrame) -> Row:
    """Outputs without a usable label, and the score under the other rules for them; the lowest grade is
    `s_disc`.
    """
    p, valid = f.mean(axis=1), table["chosen_sample"].is_not_null().to_numpy()
    zero, expected = np.where(valid, c, 0.0), np.where(valid, c, p)
    strict = np.where((table["how"] == "loose").to_numpy(), f.min(axis=1), c)
    some, once = bool(valid.any()), distinct(table)
    return {
        "invalid": 1 - valid.mean(), "valid": once["chosen_sample"].is_not_null().sum(),
        "loose": int((once["how"] == "loose").sum()), "too_long": int((once["how"] == "context").sum()),
        "unfinished_thought": int((once["how"] == "thought").sum()),
        "refused": int(once["how"].is_in(["refused", "filtered"]).sum()),
        "s_disc_zero": zero.mean(), "s_disc_expected": expected.mean(),
        "s_disc_strict": strict.mean(),
        "s_disc_valid": c[valid].mean() if some else None,
        "dg_diff_zero": (zero - p).mean(), "dg_diff_expected": (expected - p).mean(),
        "dg_diff_valid": (c - p)[valid].mean() if some else None,
    }  # fmt: skip


def chosen_grades(f: Array, samples: Sequence[int | None], shared: Sequence[Sequence[int] | None]) -> Array:
    """Grade of each choice, [m]: ties shared; no usable label scores the lowest of its candidates (the
    paper's rule).
    """
    return np.array(
        [
            row.min() if sample is None else row[list(tied)].mean() if tied else row[sample]
            for row, sample, tied in zip(f, samples, shared, strict=True)
        ]
    )


def majority_grade(extracted: Sequence[str | None], grades: Sequence[float]) -> float:
    """Expected grade of the most frequent answer by normal form; ties shared."""
    return float(np.mean([grades[index] for index in best_of(vote_shares(extracted))]))


def pass_at(right: int, n: int, j: int) -> float:
    """Unbiased estimate that j of n candidates, `right` of them right, hold a right one: 1 − C(n−right,
    j)/C(n, j).
    """
    return float(1.0 - comb(n - right, j) / comb(n, j))


def _pass_at_k(grades: Sequence[float | None], k: int) -> float:
    known = [grade for grade in grades if grade is not None]
    return pass_at(round(sum(known)), len(known), k)


def is_mixed(f: Array) -> NDArray[np.bool_]:
    return np.asarray(f.min(axis=1) < f.max(axis=1))


def by_choice(values: Array, asked: NDArray[Any], how: np.ufunc = np.add) -> Array:
    """Sums (or another `how`) over the items that share a choice, [choices, …] for `values` [m, …] ≥ 0."""
    names, inverse = np.unique(asked, return_inverse=True)
    together = np.zeros((len(names), values.shape[1]))
    how.at(together, inverse, values)
    return together


class Together(NamedTuple):
    """What is chosen at once, items that share a choice added up: grades [c, k], those chosen [c], and by
    how many candidates each choice is shared [c].
    """

    grades: Array
    chosen: Array
    ties: NDArray[np.int64]


def together(f: Array, c: Array, ties: NDArray[np.int64], asked: NDArray[Any]) -> Together:
    """The choices among the items of `f` [m, k], `c` [m] and `ties` [m], shared where `asked` is equal."""
    shared = by_choice(ties[:, None].astype(float), asked, np.maximum)[:, 0].astype(np.int64)
    return Together(by_choice(f, asked), by_choice(c[:, None], asked)[:, 0], shared)


def totals_of(f: Array, asked: NDArray[Any]) -> Array:
    """Each item's candidates by the grade of all that is chosen with them, [m, k]: the sum over the turns
    of a conversation.
    """
    names, inverse = np.unique(asked, return_inverse=True)
    return by_choice(f, asked)[inverse] if len(names) < len(f) else f


def best_grades(f: Array, totals: Array) -> Array:
    """The grade that a perfect choice gives each item, [m]: that of the candidate best in total, the mean
    of several.
    """
    best = totals == totals.max(axis=1, keepdims=True)
    return np.asarray((f * best).sum(axis=1) / best.sum(axis=1))


def cross_fitted(first: Array, second: Array, asked: NDArray[Any]) -> float:
    """The mean grade of the candidate best by one rating, scored by the other, both ways.

    `first` and `second` are two ratings of the same candidates, [m, k]. Of equally good ones the best rated
    is so by chance, which another rating does not repeat: there it is S_gen, where the oracle is above it.
    """
    both = best_grades(second, totals_of(first, asked)), best_grades(first, totals_of(second, asked))
    return float(np.mean(both))


def _best(totals: Array, table: pl.DataFrame) -> Array:
    """Whether each choice is a best one of its candidates, [m]: ties shared, invalid outputs are none."""
    best = (totals == totals.max(axis=1, keepdims=True)).astype(float)
    best[table["chosen_sample"].is_null().to_numpy()] = 0.0
    return chosen_grades(best, table["chosen_sample"].to_list(), table["shared"].to_list())


def is_binary(f: Array) -> bool:
    return set(np.unique(f)) <= {0.0, 1.0}


def plain(value: Any) -> Any:
    """A number of numpy as Python has it; None in the place of NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
