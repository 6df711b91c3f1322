"""Which positions a model picks, and what it finds there."""

from typing import NamedTuple

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from selfincorrect.discriminate.choices import distinct
from selfincorrect.discriminate.selectors.registry import with_slots
from selfincorrect.measure import hypothesis
from selfincorrect.measure.intervals import Array
from selfincorrect.measure.scores import Row, by_choice, is_mixed

NEARLY_CONSTANT = 0.9  # share of one position among valid choices
MANY, DRAWS = 30, 999  # of mixed questions, from which on no permutations need be drawn, and these
FEW_PICKS = 5  # with fewer valid choices, nothing can be said of positions


class Picks(NamedTuple):
    """Valid choices among positions: grades by slot [n, k], sums over the items that share a choice; the
    share of the pick on each slot [n, k]; how many shown candidates have the answer in each slot [n, k]; the
    clusters [n].
    """

    grades: Array
    shares: Array
    agreeing: Array
    clusters: NDArray[np.generic]


def positions(table: pl.DataFrame, picks: Picks, k: int) -> Row:
    """How even the picks are over the positions shown; nothing for rules that see no positions.

    Picks are nearly constant if those on mixed questions are: elsewhere it does not matter what is picked.
    Of fewer than FEW_PICKS mixed ones, if all are on the position that is picked nearly everywhere.
    """
    slots = slot_counts(table, k)
    top, picked = int(slots.argmax()), int(slots.sum())
    mixed = picks.shares[is_mixed(picks.grades)] if len(picks.grades) else picks.shares
    share = float(mixed.mean(axis=0).max()) if len(mixed) else 0.0
    if len(mixed) >= FEW_PICKS:
        constant = share >= NEARLY_CONSTANT
    else:
        on_top = bool((mixed[:, top] == 1).all()) if len(mixed) else True
        constant = picked >= FEW_PICKS and slots[top] >= NEARLY_CONSTANT * picked and on_top
    return {
        "top_slot": top + 1 if picked else None,
        "top_slot_share": slots[top] / picked if picked else None,
        "top_slot_share_mixed": share if len(mixed) else None,
        "p_slots": hypothesis.uniform_slots(slots) if picked else None,
        "nearly_constant": bool(constant),
    }


def picks_of(table: pl.DataFrame, k: int) -> Picks:
    """The valid choices of a model among positions; none for rules that see no positions."""
    valid = positioned(table, k).filter(pl.col("chosen_sample").is_not_null())
    if not valid.height:
        none = np.zeros((0, k))
        return Picks(none, none, none, np.zeros(0))
    orders = np.array(valid["order"].to_list())
    grades = np.take_along_axis(np.array(valid["grade"].to_list(), dtype=float), orders, axis=1)
    tied = [shared or [sample] for sample, shared in valid.select("chosen_sample", "shared").iter_rows()]
    shares = np.array(
        [
            [(s in each) / len(each) for s in order]
            for order, each in zip(valid["order"].to_list(), tied, strict=True)
        ]
    )
    asked = valid["asked"].to_numpy()
    first = np.unique(asked, return_index=True)[1]
    return Picks(
        by_choice(grades, asked), shares[first], _agreeing(valid), valid["cluster"].to_numpy()[first]
    )


def positioned(table: pl.DataFrame, k: int) -> pl.DataFrame:
    """The choices among positions: of a selector that picks one, where one order showed all k.

    Decided questions, of which nothing is shown, are not among them.
    """
    table = table.filter(pl.col("selector").is_in(with_slots()), pl.col("order").list.len() == k)
    if "orders" not in table.columns:
        return table
    shown = pl.col("orders").list.len().fill_null(1)
    return table.filter(shown == 1, (shown <= 1).all())


def _agreeing(valid: pl.DataFrame) -> Array:
    """How many of the candidates shown give the answer in each slot, itself included, [choices, k].

    Answers that share a choice agree where all of them do; one without a normal form agrees with none.
    """
    rows = valid.group_by("asked").agg("extracted", pl.col("order").first()).sort("asked")
    counts = []
    for forms, order in rows.select("extracted", "order").iter_rows():
        answers = list(zip(*forms, strict=True))
        counts.append([1 if None in answers[s] else answers.count(answers[s]) for s in order])
    return np.array(counts, dtype=float)


def index_dependence(f: Array, seed: int) -> float | None:
    """p that grades `f` [m, k] depend on the sample's index, by permutation within questions; None where
    nothing differs.

    The statistic is Cochran's Q, of grades of any kind: (k − 1) Σ_s (C_s − C̄)² / Σ_i Σ_s (f_is − f̄_i)²,
    C the sums over questions; with MANY questions that differ it has k − 1 degrees of χ².
    """
    varied = f[np.ptp(f, axis=1) > 1e-12]
    if not len(varied):
        return None
    k = f.shape[1]
    within = ((varied - varied.mean(axis=1, keepdims=True)) ** 2).sum()

    def q(grades: Array) -> Array:
        return np.asarray((k - 1) * grades.sum(axis=-2).var(axis=-1) * k / within)

    found = float(q(varied))
    if len(varied) >= MANY:
        return float(scipy.stats.chi2.sf(found, k - 1))
    rng = np.random.default_rng(seed)
    drawn = np.array([float(q(rng.permuted(varied, axis=1))) for _ in range(DRAWS)])
    return float((drawn >= found - 1e-9).sum() + 1) / (DRAWS + 1)


def slot_counts(table: pl.DataFrame, k: int) -> NDArray[np.int64]:
    """How often each shown position was picked by a model, [k]; invalid outputs and rules without a model
    picked none.
    """
    once = positioned(distinct(table), k)
    rows = zip(once["order"], once["chosen_sample"], strict=True)
    slots = [list(order).index(sample) for order, sample in rows if sample is not None]
    return np.bincount(slots, minlength=k).astype(np.int64)
