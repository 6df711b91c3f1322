"""Estimators: from the grades of the candidates and the choices made among them to one row of numbers a cell."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from scipy.special import comb

from selfincorrect.digest import seed_of
from selfincorrect.hypothesis import mcnemar, randomisation, uniform_slots, wilcoxon

Array = NDArray[np.float64]
LEVEL = 0.95
BOOTSTRAP_DRAWS = 10_000
NEARLY_CONSTANT = 0.9  # share of one position among valid choices
FEW_MIXED = 5  # with fewer mixed questions, a bootstrap of them is no interval
FEW_PICKS = 5  # with fewer valid choices, nothing can be said of positions


def clustered_se(values: Array, clusters: NDArray[Any]) -> float:
    """Standard error of the mean of `values` [m] with dependence inside clusters.

    SE² = (1/m²) Σ_clusters (Σ_{i∈cluster} (v_i − v̄))².
    """
    _, inverse = np.unique(clusters, return_inverse=True)
    sums = np.bincount(inverse, weights=values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))


def interval(values: Array, clusters: NDArray[Any]) -> tuple[float, float]:
    """95 % t interval of the mean, clusters − 1 degrees of freedom; NaN with fewer than two clusters."""
    count = len(np.unique(clusters))
    if count < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + LEVEL) / 2, count - 1) * clustered_se(values, clusters)
    return float(values.mean() - half), float(values.mean() + half)


def score_interval(values: Array, clusters: NDArray[Any]) -> tuple[float, float]:
    """95 % interval of a mean score in [0, 1].

    Wilson's where every score is 0 or 1 and every question its own cluster, or where the scores have no spread to judge
    by; else `interval`, kept inside [0, 1].
    """
    count, binary = len(np.unique(clusters)), set(np.unique(values)) <= {0.0, 1.0}
    if count and binary and (count == len(values) or values.min() == values.max()):
        successes = round(values.mean() * count)
        found = stats.binomtest(successes, count).proportion_ci(LEVEL, "wilson")
        return float(found.low), float(found.high)
    low, high = interval(values, clusters)
    return max(low, 0.0), min(high, 1.0)


def ratio_interval(top: Array, bottom: Array, clusters: NDArray[Any], seed: int) -> tuple[float, float]:
    """95 % percentile interval of Σ top / Σ bottom by cluster bootstrap, BOOTSTRAP_DRAWS seeded draws.

    NaN where no draw has a bottom other than 0.
    """
    _, inverse = np.unique(clusters, return_inverse=True)
    tops, bottoms = (np.bincount(inverse, weights=each) for each in (top, bottom))
    count, rng = len(tops), np.random.default_rng(seed)
    ratios = []
    for _ in range(10):  # in blocks, so that memory stays small
        draws = rng.multinomial(count, np.full(count, 1 / count), size=BOOTSTRAP_DRAWS // 10)
        below = draws @ bottoms
        ratios.append((draws @ tops)[below > 1e-12] / below[below > 1e-12])
    found = np.concatenate(ratios)
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def majority_grade(extracted: list[str | None], grades: list[float]) -> float:
    """Expected grade of the most frequent answer by normal form; ties shared.

    An answer without a normal form agrees with no other.
    """
    groups: dict[Any, list[float]] = {}
    for index, (form, grade) in enumerate(zip(extracted, grades, strict=True)):
        groups.setdefault(index if form is None else form, []).append(grade)
    largest = max(map(len, groups.values()))
    return float(np.mean([np.mean(each) for each in groups.values() if len(each) == largest]))


def pass_at(right: int, n: int, j: int) -> float:
    """Unbiased estimate that j of n candidates, `right` of them right, hold a right one: 1 − C(n−right, j)/C(n, j)."""
    return float(1.0 - comb(n - right, j) / comb(n, j))


def measure(questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, seed: int) -> pl.DataFrame:
    """One row of `cell` for each variant in `choices`, in order of appearance."""
    whole = grades.group_by("question_id").agg(pl.col("grade").alias("pool"))
    pool = (
        grades.filter(pl.col("sample") < k)
        .sort("question_id", "sample")
        .group_by("question_id", maintain_order=True)
        .agg("grade", "extracted", pl.len().alias("shown"))
        .join(whole, on="question_id", validate="1:1")
    )
    if not (pool["shown"] == k).all():
        raise ValueError(f"some questions have fewer than {k} graded candidates")
    clusters = questions.select("question_id", "cluster")
    rows = []
    for (variant,), chosen in choices.group_by("variant", maintain_order=True):
        table = pool.join(clusters, on="question_id", validate="1:1").join(chosen, on="question_id", validate="1:1")
        if table.height != pool.height:
            raise ValueError(f"variant {variant}: {table.height} choices for {pool.height} questions")
        rows.append({"k": k, "variant": variant, **cell(table.sort("question_id"), k, seed)})
    return pl.DataFrame(rows, infer_schema_length=None)


def cell(table: pl.DataFrame, k: int, seed: int) -> dict[str, Any]:
    """The numbers of one cell; what each means is in the README and `docs/columns.md`.

    `table` has a row a question: `question_id`, `cluster`, `grade` and `extracted` (lists over the k samples), `pool`
    (grades of all samples), `order`, `chosen_sample` (null if invalid), `how`. Scores are fractions (or grades, on scored tasks).
    """
    f = np.array(table["grade"].to_list(), dtype=float).reshape(-1, k)
    m, clusters = len(f), table["cluster"].to_numpy()
    samples = table["chosen_sample"].to_list()
    # Output without a usable label scores the lowest grade among its candidates (the paper's rule).
    c = np.array([row.min() if s is None else row[s] for row, s in zip(f, samples, strict=True)])
    p = f.mean(axis=1)
    d, headroom = c - p, f.max(axis=1) - p
    mixed = f.min(axis=1) < f.max(axis=1)
    majority = np.array([majority_grade(e, g) for e, g in zip(table["extracted"], table["grade"], strict=True)])
    picks = np.array([f[i, seed_of("pick", seed, q, k) % k] for i, q in enumerate(table["question_id"])])
    n01, n10 = int((c > picks).sum()), int((c < picks).sum())
    tests, binary = mcnemar(n01, n10), set(np.unique(f)) <= {0.0, 1.0}
    nothing = float("nan"), float("nan")
    share = ratio_interval(d, headroom, clusters, seed_of("bootstrap", seed)) if mixed.sum() >= FEW_MIXED else nothing
    ci, gen, disc, best, vote = (
        interval(d, clusters) if mixed.any() else nothing,
        *(score_interval(each, clusters) if binary else interval(each, clusters) for each in (p, c, f.max(axis=1), majority)),
    )  # fmt: skip
    slots = slot_counts(table, k)
    valid = int(slots.sum())
    top = int(slots.argmax())
    row = {
        "n": m,
        "clusters": len(np.unique(clusters)),
        "s_gen": p.mean(), "s_gen_low": gen[0], "s_gen_high": gen[1],
        "s_gen_pick": picks.mean(),
        "s_disc": c.mean(), "s_disc_low": disc[0], "s_disc_high": disc[1],
        "dg_diff": d.mean(), "se": clustered_se(d, clusters), "ci_low": ci[0], "ci_high": ci[1],
        "mixed": mixed.mean(), "mixed_questions": int(mixed.sum()),
        "dg_diff_mixed": d[mixed].mean() if mixed.any() else None,
        "oracle": f.max(axis=1).mean(), "oracle_low": best[0], "oracle_high": best[1],
        "majority": majority.mean(), "majority_low": vote[0], "majority_high": vote[1],
        "disc_minus_majority": (c - majority).mean(),
        "headroom": headroom.mean(),
        "headroom_share": d.sum() / headroom.sum() if headroom.any() else None,
        "headroom_share_low": share[0], "headroom_share_high": share[1],
        "pass_at_k": np.mean([pass_at(round(sum(each)), len(each), k) for each in table["pool"]]) if binary else None,
        "invalid": (m - valid) / m, "valid": valid, "loose": sum(how == "loose" for how in table["how"]), "too_long": sum(how == "context" for how in table["how"]),
        "n01": n01, "n10": n10,
        "p_randomisation": randomisation(f, c),
        "p_mcnemar": tests["asymptotic"] if binary else None,
        "p_mcnemar_midp": tests["midp"] if binary else None,
        "p_mcnemar_exact": tests["exact"] if binary else None,
        "p_as_printed": tests["as_printed"] if binary else None,
        "p_wilcoxon": None if binary else wilcoxon(_cluster_means(d, clusters)),
        "top_slot": top + 1 if valid else None,
        "top_slot_share": slots[top] / valid if valid else None,
        "p_slots": uniform_slots(slots),
    }  # fmt: skip
    row = {name: _plain(value) for name, value in row.items()}
    row["nearly_constant"] = valid >= FEW_PICKS and row["top_slot_share"] >= NEARLY_CONSTANT
    row["informative"] = bool(mixed.any()) and valid >= FEW_PICKS and not row["nearly_constant"]
    return row | {"note": note(row)}


def slot_counts(table: pl.DataFrame, k: int) -> NDArray[np.int64]:
    """How often each shown position was picked, [k]; invalid outputs picked none."""
    slots = [
        list(order).index(sample)
        for order, sample in zip(table["order"], table["chosen_sample"], strict=True)
        if sample is not None
    ]
    return np.bincount(slots, minlength=k).astype(np.int64)


def note(row: dict[str, Any]) -> str:
    """What a reader must know before using the row, in words; empty if nothing."""
    notes = []
    if not row["mixed_questions"]:
        notes.append("No question is mixed: DG-Diff is 0 whatever the model picks.")
    if row["nearly_constant"]:
        notes.append(
            f"Picks are nearly constant: position {row['top_slot']} in {row['top_slot_share']:.0%} of {row['valid']} "
            "valid answers. DG-Diff is that position's luck and says nothing of discrimination."
        )
    if row["invalid"] > 0.05:
        notes.append(f"{row['invalid']:.0%} of the outputs name no usable label and score the lowest grade.")
    if row["valid"] < FEW_PICKS:
        notes.append(
            f"With {row['valid']} valid outputs, DG-Diff shows how invalid ones are scored, not discrimination."
        )
    if row["too_long"]:
        notes.append(f"{row['too_long']} prompts do not fit the model's context and were not sent.")
    return " ".join(notes)


def _cluster_means(values: Array, clusters: NDArray[Any]) -> Array:
    _, inverse = np.unique(clusters, return_inverse=True)
    return np.bincount(inverse, weights=values) / np.bincount(inverse)


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
