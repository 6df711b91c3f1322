"""Ways of choosing side by side: what each gains and costs, and how often two of them agree."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import rankdata

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.discriminate.choices import distinct
from selfincorrect.measure.readings import Spread, chances, spread, triads
from selfincorrect.measure.scores import is_mixed
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, TEXT, VARIANT, K
from selfincorrect.report.wanted import Cell

_ASIS = {
    "dg_diff": "DG-Diff", "ci_low": "lower end of its 95 % interval", "ci_high": "upper end",
    "dg_diff_mixed": "DG-Diff on mixed questions", "net": "gain beyond a preference for positions; empty "
    "where no position is picked", "p_comp": "probability that of two candidates the better one scores "
    "higher", "headroom_share": "share of what the best candidates could gain",
    "invalid": "share of choices that cannot be read", "tied_mixed": "share of mixed questions whose "
    "candidates all tie for the choice; 1: it does not choose", "p_better": "one-sided p, as of metrics",
    "p_holm": "the same corrected for all cells", "p_worse_holm": "of being worse, corrected likewise",
    "verdict": "as of metrics",
}  # fmt: skip
_UNITS = {"p_comp": "probability", "headroom_share": "share", "invalid": "share", "tied_mixed": "share",
    "p_better": "probability", "p_holm": "probability", "p_worse_holm": "probability",
    "verdict": ""}  # fmt: skip
SELECTORS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("selector", TEXT, "way of choosing"),
    Column("labels_used", pl.Boolean, "whether it uses the grades: it is a control, and no choice"),
    *(Column(name, TEXT if name == "verdict" else NUMBER, text, _UNITS.get(name, "score"))
      for name, text in _ASIS.items()),
    Column("label_mass", NUMBER, "how probable labels are together where options are scored; below 0.5 the "
        "question is not what the model answers", "probability"),
    Column("bounded", NUMBER, "share of choices that depend on a label of which a server tells a bound alone",
        "share"),
    Column("decided", NUMBER, "share of questions that are not asked, since all candidates have one normal "
        "form", "share"),
    Column("calls", NUMBER, "requests a question, the same one counted once"),
    Column("calls_undecided", NUMBER, "requests a question that is asked"),
    Column("tokens_in", NUMBER, "tokens of prompts a question, those that prompts share counted each time"),
    Column("tokens_own", NUMBER, "tokens that are read for the question alone, what its prompts share once: "
        "demonstrations left out, options counted"),
    Column("tokens_alone", NUMBER, "the same with demonstrations, as if the question stood alone"),
    Column("tokens_written", NUMBER, "tokens written a question"),
    Column("operations", NUMBER, "operations a question for `tokens_own` and `tokens_written`: 2 · "
        "parameters a token, and attention; empty where the size of the model is not known"),
    Column("operations_alone", NUMBER, "the same for `tokens_alone`"),
    Column("between_candidates", NUMBER, "of what shares differ by, read in several orders: the part between "
        "candidates; the rest is between slots", "share"),
    Column("cyclic", NUMBER, "share of triples of compared candidates that go round: a beats b, b beats c, "
        "c beats a", "share"),
]  # fmt: skip
AGREEMENT = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("other_variant", TEXT, "another way of choosing among the same candidates"),
    Column("other_discriminator", TEXT, "the model that was asked in it"),
    Column("mixed", COUNT, "mixed questions in which both choose"),
    Column("same", NUMBER, "share of these in which both choose the same answer: the same normal form, or "
        "sample; of candidates that tie, the one drawn", "share"),
    Column("rank_correlation", NUMBER, "Spearman's, of the scores within a question: mean over the mixed "
        "questions in which both tell candidates apart"),
    Column("ranked", COUNT, "number of these"),
]  # fmt: skip


def selectors_table(
    metrics: pl.DataFrame,
    choices: Mapping[tuple[str, str], pl.DataFrame],
    knowing: Sequence[str],
    taken: pl.DataFrame,
) -> pl.DataFrame:
    """Rows of SELECTORS, one a cell, in the order of `metrics`.

    Variants of `knowing` know the grades; `taken` has the operations of cells in which a model was asked.
    """
    costs = [
        _costs(table).with_columns(pl.lit(model).alias("model"), pl.lit(task).alias("task"))
        for (model, task), table in choices.items()
    ]
    known = metrics.with_columns(pl.col("variant").is_in(list(knowing)).alias("labels_used"))
    keys = list(Cell._fields)
    if costs:
        known = known.with_columns(pl.col("k").cast(pl.Int32)).join(
            pl.concat(costs), on=keys, how="left", maintain_order="left", nulls_equal=True
        )
        known = known.join(taken, on=keys, how="left", maintain_order="left", nulls_equal=True)
    schema = schema_of(SELECTORS)
    return pl.DataFrame(known.select(list(schema)).to_dicts(), schema=schema)


def _costs(choices: pl.DataFrame) -> pl.DataFrame:
    """What the choices of one model and task took, a row for each k and variant."""
    once = distinct(choices)
    asked = pl.col("calls").fill_null(0)
    read = [
        {**dict(zip(("k", *WAY), key, strict=True)), **_told_by(cell["readings"].drop_nulls())}
        for key, cell in once.group_by("k", *WAY, maintain_order=True)
    ]
    schema = once.select("k", *WAY).schema | {"between_candidates": pl.Float64, "cyclic": pl.Float64}
    costs = once.group_by("k", *WAY, maintain_order=True).agg(
        pl.col("label_mass").mean(),
        pl.col("bounded").fill_null(False).mean(),
        (pl.col("how") == "decided").mean().alias("decided"),
        asked.mean().alias("calls"),
        asked.filter(asked > 0).mean().alias("calls_undecided"),
        *map(_tokens, ("tokens_in", "tokens_own", "tokens_alone")),
        _tokens("tokens_out").alias("tokens_written"),
    )
    return costs.join(pl.DataFrame(read, schema=schema), on=["k", *WAY], nulls_equal=True)


def _tokens(name: str) -> pl.Expr:
    """The mean of what questions took, as far as it is known; who is not asked takes nothing."""
    asked = pl.col("calls").fill_null(0) > 0
    untold = asked.any() & pl.col(name).filter(asked).is_null().all()
    return pl.when(untold).then(None).otherwise(pl.when(asked).then(name).otherwise(0).mean()).alias(name)


def _told_by(readings: pl.Series) -> dict[str, float | None]:
    """What the readings of all questions of a cell tell together."""
    whole, count, cyclic = Spread(0.0, 0.0), 0, 0
    for each in readings:
        whole += spread(each)
        samples = [sample for reading in each for sample in reading["samples"]]
        found = triads(chances(each, max(samples, default=-1) + 1))
        count, cyclic = count + found[0], cyclic + found[1]
    return {"between_candidates": whole.share, "cyclic": cyclic / count if count else None}


def agreement_table(
    items: pl.DataFrame, grades: Mapping[tuple[str, str], pl.DataFrame], variants: Mapping[str, int]
) -> pl.DataFrame:
    """Rows of AGREEMENT: every two variants that chose among the same candidates.

    `items` are rows of per_question; `variants` gives their order.
    """
    rows: list[tuple[Any, ...]] = []
    for (model, task, k), cell in items.group_by("model", "task", "k", maintain_order=True):
        graded = grades[str(model), str(task)]
        told = {way: _picked(part, graded) for way, part in cell.group_by(WAY, maintain_order=True)}
        names = sorted(told, key=lambda way: variants.get(str(way[0]), len(variants)))
        for one, other in combinations(names, 2):
            rows.append((model, task, k, *one, *other, *_agreed(told[one], told[other])))
    return pl.DataFrame(rows, schema=schema_of(AGREEMENT), orient="row")


def _picked(items: pl.DataFrame, grades: pl.DataFrame) -> dict[str, tuple[str, list[float] | None]]:
    """For each mixed question with a choice: the answer chosen, and the ranks of the candidates."""
    mixed = items.filter(is_mixed(np.array(items["grades"].to_list(), dtype=float)))
    forms = grades.select("question_id", pl.col("sample").alias("chosen_sample"), "extracted")
    told = mixed.filter(pl.col("chosen_sample").is_not_null()).join(
        forms, on=["question_id", "chosen_sample"], how="left", maintain_order="left"
    )
    found = {}
    for row in told.select("question_id", "chosen_sample", "extracted", "scores").iter_rows():
        question, sample, form, scores = row
        known = scores is not None and None not in scores and len(set(scores)) > 1
        answer = f"sample {sample}" if form is None else f"answer {form}"
        found[question] = (answer, rankdata(scores).tolist() if known else None)
    return found


def _agreed(
    one: Mapping[str, tuple[str, list[float] | None]], other: Mapping[str, tuple[str, list[float] | None]]
) -> tuple[int, float | None, float | None, int]:
    both = [(answer, other[question]) for question, answer in one.items() if question in other]
    ranks = [(mine[1], theirs[1]) for mine, theirs in both if mine[1] and theirs[1]]
    correlation = None
    if ranks:
        left, right = (
            np.array(each) - np.mean(each, axis=1, keepdims=True) for each in zip(*ranks, strict=True)
        )
        norms = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
        correlation = float(((left * right).sum(axis=1) / norms).mean())
    same = float(np.mean([mine[0] == theirs[0] for mine, theirs in both])) if both else None
    return len(both), same, correlation, len(ranks)
