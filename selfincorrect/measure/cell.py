"""The numbers of one cell: scores, their anatomy, tests, positions, and what a reader must know before using them.

What each number means, and when to believe it, is in `docs/statistics.md`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import comb

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.selectors.majority import majority
from selfincorrect.discriminate.selectors.registry import with_slots
from selfincorrect.measure import hypothesis, intervals
from selfincorrect.measure.intervals import Array, clustered_se, interval, score_interval
from selfincorrect.measure.power import smallest_effect

NEARLY_CONSTANT = 0.9  # share of one position among valid choices
FEW_MIXED = 5  # with fewer mixed questions, a bootstrap of them is no interval
FEW_PICKS = 5  # with fewer valid choices, nothing can be said of positions
FEW_VALID = 0.5  # with a smaller share of valid outputs, a score shows how the others are scored
# With fewer mixed questions, the standard error is too uncertain to show that nothing is there.
FEW_FOR_EQUIVALENCE = 30
MARGIN, MARGIN_SCORED = 0.01, 0.1  # differences smaller than this are equivalent: one point; a tenth of a score

Row = dict[str, Any]
SCORES = (
    "s_gen", "s_gen_low", "s_gen_high", "s_disc", "s_disc_low", "s_disc_high", "dg_diff", "se", "ci_low", "ci_high",
)  # fmt: skip


def cell(table: pl.DataFrame, k: int, seed: int, unit: str = "percent") -> Row:
    """The numbers of one cell.

    `table` has a row an item: `question_id`, `cluster`, `asked` (items that share it share their choice), `grade` and `extracted`
    (lists over the k samples), `pool` (grades of all samples), `order`, `chosen_sample` (null if invalid), `shared` (the samples
    that tie for the choice, or null), `selector`, `how`. Scores are fractions, or grades if that is the `unit`.
    """
    f = np.array(table["grade"].to_list(), dtype=float).reshape(-1, k)
    clusters, asked, scale = table["cluster"].to_numpy(), table["asked"].to_numpy(), unit == "grade"
    c = chosen_grades(f, table["chosen_sample"].to_list(), table["shared"].to_list())
    single = chosen_grades(f, table["chosen_sample"].to_list(), [None] * len(f))  # ties broken by the seed
    picks = np.array([f[i, seed_of("pick", seed, q, k) % k] for i, q in enumerate(table["asked"])])
    row: Row = {
        "selector": table["selector"][0],
        "n": len(f),
        "clusters": len(np.unique(clusters)),
        "choices": len(np.unique(asked)),
        **scores(f, c, clusters, scale),
        **_anatomy(f, c, clusters, table, k, seed, scale),
        **_invalid(f, c, table),
        **tests(f, c, single, picks, clusters, table["chosen_sample"].is_not_null().to_numpy(), asked, scale),
        **_positions(table, k),
    }
    row = {name: plain(value) for name, value in row.items()}
    row["nearly_constant"] = (row["top_slot_share"] or 0) >= NEARLY_CONSTANT and row["valid"] >= FEW_PICKS
    enough = row["valid"] >= FEW_PICKS and row["valid"] >= FEW_VALID * row["choices"]
    row["informative"] = row["mixed_questions"] > 0 and enough and not row["nearly_constant"]
    p_values = (row["p_randomisation"], row["p_worse"], 1.0 if row["p_tost"] is None else row["p_tost"])
    row["verdict"] = hypothesis.verdict(*p_values) if row["informative"] else "undecided"
    return row | {"note": note(row)}


def majority_grade(extracted: Sequence[str | None], grades: Sequence[float]) -> float:
    """Expected grade of the most frequent answer by normal form; ties shared."""
    return float(np.mean([grades[index] for index in majority(extracted)]))


def pass_at(right: int, n: int, j: int) -> float:
    """Unbiased estimate that j of n candidates, `right` of them right, hold a right one: 1 − C(n−right, j)/C(n, j)."""
    return float(1.0 - comb(n - right, j) / comb(n, j))


def chosen_grades(f: Array, samples: Sequence[int | None], shared: Sequence[Sequence[int] | None]) -> Array:
    """Grade of each choice, [m]: ties shared; no usable label scores the lowest of its candidates (the paper's rule)."""
    return np.array(
        [
            row.min() if sample is None else row[list(tied)].mean() if tied else row[sample]
            for row, sample, tied in zip(f, samples, shared, strict=True)
        ]
    )


def is_mixed(f: Array) -> NDArray[np.bool_]:
    return np.asarray(f.min(axis=1) < f.max(axis=1))


def totals_of(f: Array, asked: NDArray[Any]) -> Array:
    """Each item's candidates by the grade of all that is chosen with them, [m, k]: the sum over the turns of a conversation."""
    names, inverse = np.unique(asked, return_inverse=True)
    return _by_choice(f, asked)[inverse] if len(names) < len(f) else f


def best_grades(f: Array, totals: Array) -> Array:
    """The grade that a perfect choice gives each item, [m]: that of the candidate best in total, the mean of several."""
    best = totals == totals.max(axis=1, keepdims=True)
    return np.asarray((f * best).sum(axis=1) / best.sum(axis=1))


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


def _anatomy(f: Array, c: Array, clusters: NDArray[Any], table: pl.DataFrame, k: int, seed: int, scale: bool) -> Row:
    """Where a difference can come from: mixed questions, the baselines above, and the share of the headroom used."""
    totals = totals_of(f, table["asked"].to_numpy())
    p, best, mixed = f.mean(axis=1), best_grades(f, totals), is_mixed(totals)
    headroom, some = best - p, bool(mixed.any())
    votes = np.array([majority_grade(*pair) for pair in table.select("extracted", "grade").iter_rows()])
    oracle, vote = score_interval(best, clusters, scale), score_interval(votes, clusters, scale)
    over_vote = interval(c - votes, clusters)
    enough = mixed.sum() >= FEW_MIXED
    share = (
        intervals.ratio_interval(c - p, headroom, clusters, seed_of("bootstrap", seed)) if enough else intervals.NONE
    )
    binary = not scale and _binary(f)
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


def _best(totals: Array, table: pl.DataFrame) -> Array:
    """Whether each choice is a best one of its candidates, [m]: ties shared, invalid outputs are none."""
    best = (totals == totals.max(axis=1, keepdims=True)).astype(float)
    best[table["chosen_sample"].is_null().to_numpy()] = 0.0
    return chosen_grades(best, table["chosen_sample"].to_list(), table["shared"].to_list())


def _pass_at_k(grades: Sequence[float | None], k: int) -> float:
    known = [grade for grade in grades if grade is not None]
    return pass_at(round(sum(known)), len(known), k)


def _invalid(f: Array, c: Array, table: pl.DataFrame) -> Row:
    """Outputs without a usable label, and the score under the other rules for them; the lowest grade is `s_disc`."""
    p, valid = f.mean(axis=1), table["chosen_sample"].is_not_null().to_numpy()
    zero, expected = np.where(valid, c, 0.0), np.where(valid, c, p)
    some, once = bool(valid.any()), table.unique("asked", keep="first")
    return {
        "invalid": 1 - valid.mean(), "valid": once["chosen_sample"].is_not_null().sum(),
        "loose": int((once["how"] == "loose").sum()), "too_long": int((once["how"] == "context").sum()),
        "unfinished_thought": int((once["how"] == "thought").sum()),
        "refused": int(once["how"].is_in(["refused", "filtered"]).sum()),
        "s_disc_zero": zero.mean(), "s_disc_expected": expected.mean(),
        "s_disc_valid": c[valid].mean() if some else None,
        "dg_diff_zero": (zero - p).mean(), "dg_diff_expected": (expected - p).mean(),
        "dg_diff_valid": (c - p)[valid].mean() if some else None,
    }  # fmt: skip


def tests(
    f: Array,
    c: Array,
    single: Array,
    picks: Array,
    clusters: NDArray[Any],
    valid: NDArray[np.bool_],
    asked: NDArray[Any] | None = None,  # noqa: PT028 (no test of pytest)
    scale: bool = False,  # noqa: PT028
) -> Row:
    """p-values, the smallest effect that could have been found, and the equivalence test.

    Of `f` [m, k], the grades chosen `c` [m] (ties shared) and `single` (ties drawn), and of one seeded pick a question,
    `picks`. Items with the same `asked` (by default none) share one choice, so under H0 their grades are drawn
    together. Grades on a `scale` are tested as scores, however few of its values occur. McNemar's and Wilcoxon's tests compare with the pick, as the paper does: a pick and a uniform choice can change
    places, so their difference is symmetric under H0. The difference from the mean grade is not. `p_worse` looks at `valid`
    outputs alone: the lowest grade that the others score would make a bad format look like bad judgement.
    """
    n01, n10 = int((single > picks).sum()), int((single < picks).sum())
    mcnemar, binary = hypothesis.mcnemar(n01, n10), not scale and _binary(f)
    gains = intervals.cluster_means(single - picks, clusters)
    margin = MARGIN if not scale and f.min() >= 0 and f.max() <= 1 else MARGIN_SCORED
    d = c - f.mean(axis=1)
    se = clustered_se(d, clusters)
    asked = np.arange(len(f)) if asked is None else asked
    drawn, taken = _by_choice(f, asked), _by_choice(c[:, None], asked)[:, 0]
    usable = _by_choice(valid[:, None].astype(float), asked)[:, 0] > 0
    share = drawn * len(drawn) / len(f)  # its mean over choices is the mean over items
    ses = max(se, _se_at(margin, share, share.min(axis=1))), max(se, _se_at(margin, share, share.max(axis=1)))
    return {
        "s_gen_pick": picks.mean(), "n01": n01, "n10": n10,
        "p_randomisation": hypothesis.randomisation(drawn, taken),
        "p_worse": hypothesis.randomisation(-drawn[usable], -taken[usable]) if usable.any() else 1.0,
        "p_mcnemar": mcnemar["asymptotic"] if binary else None,
        "p_mcnemar_midp": mcnemar["midp"] if binary else None,
        "p_mcnemar_exact": mcnemar["exact"] if binary else None,
        "p_as_printed": mcnemar["as_printed"] if binary else None,
        "p_wilcoxon": None if binary else hypothesis.wilcoxon(gains, "pratt"),
        "p_wilcoxon_drop": None if binary else hypothesis.wilcoxon(gains, "wilcox"),
        "p_tost": hypothesis.equivalence(float(d.mean()), ses, len(gains), margin)
        if is_mixed(drawn).sum() >= FEW_FOR_EQUIVALENCE
        else None,
        "mde": smallest_effect(share),
    }  # fmt: skip


def _by_choice(values: Array, asked: NDArray[Any]) -> Array:
    """Sums over the items that share a choice, [choices, …] for `values` [m, …]."""
    names, inverse = np.unique(asked, return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, inverse, values)
    return sums


def _se_at(margin: float, f: Array, extreme: Array) -> float:
    """Standard error of DG-Diff if it were `margin`, by taking the `extreme` candidate now and then and one at random else.

    Where few questions are mixed, a small difference and a small observed standard error come by the same luck; this one
    depends on the candidates alone. 0 where no such chooser reaches the margin.
    """
    gap = np.abs(extreme - f.mean(axis=1))
    skill = margin * len(f) / gap.sum() if gap.any() else 1.0
    if skill >= 1:
        return 0.0
    squares = ((1 - skill) * f.var(axis=1) + skill * gap**2).sum()
    return float(np.sqrt(max(squares - len(f) * margin**2, 0.0)) / len(f))


def _positions(table: pl.DataFrame, k: int) -> Row:
    """How even the picks are over the positions shown; nothing for rules that see no positions."""
    slots = slot_counts(table, k)
    top, picked = int(slots.argmax()), int(slots.sum())
    return {
        "top_slot": top + 1 if picked else None,
        "top_slot_share": slots[top] / picked if picked else None,
        "p_slots": hypothesis.uniform_slots(slots) if picked else None,
    }


def _binary(f: Array) -> bool:
    return set(np.unique(f)) <= {0.0, 1.0}


def slot_counts(table: pl.DataFrame, k: int) -> NDArray[np.int64]:
    """How often each shown position was picked by a model, [k]; invalid outputs and rules without a model picked none."""
    once = table.with_columns(pl.coalesce("asked", "question_id")).unique("asked", keep="first", maintain_order=True)
    rows = zip(once["order"], once["chosen_sample"], once["selector"], strict=True)
    known = with_slots()
    slots = [list(order).index(sample) for order, sample, by in rows if sample is not None and by in known]
    return np.bincount(slots, minlength=k).astype(np.int64)


def note(row: Row) -> str:
    """What a reader must know before using the row, in words; empty if nothing."""
    notes = []
    if not row["mixed_questions"]:
        notes.append("No question is mixed: DG-Diff is 0 whatever is picked.")
    if row["nearly_constant"]:
        notes.append(
            f"Picks are nearly constant: position {row['top_slot']} in {row['top_slot_share']:.0%} of {row['valid']} "
            "valid answers. DG-Diff is that position's luck and says nothing of discrimination."
        )
    if row["invalid"] > 0.05:
        notes.append(f"{row['invalid']:.0%} of the outputs name no usable label and score the lowest grade.")
    if row["valid"] < FEW_VALID * row["choices"]:
        notes.append(
            f"With {row['valid']} valid outputs of {row['choices']}, DG-Diff shows how invalid ones are scored, not discrimination."
        )
    elif row["valid"] < FEW_PICKS:
        notes.append(f"{row['valid']} valid outputs are too few to tell a choice from a position.")
    told = {
        "too_long": "prompts do not fit the model's context", "unfinished_thought": "outputs are thoughts that never end",
        "refused": "questions were refused",
    }  # fmt: skip
    notes += [f"{row[name]} {words}; they count as invalid." for name, words in told.items() if row[name]]
    return " ".join(notes)


def plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
