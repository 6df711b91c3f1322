"""What of a DG-Diff is discernment: net of positions, as skill, as evidence, and the sentence that says
so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.digest import seed_of
from selfincorrect.measure import hypothesis
from selfincorrect.measure.intervals import Array
from selfincorrect.measure.logit import logit
from selfincorrect.measure.net import net_of_position
from selfincorrect.measure.positions import Picks, index_dependence
from selfincorrect.measure.scores import Row, is_mixed, together
from selfincorrect.measure.skill import COLUMNS as SKILL
from selfincorrect.measure.skill import evidence, skill_row

FEW_MIXED = 5  # with fewer mixed questions, the t interval of DG-Diff covers too little


def discernment(
    table: pl.DataFrame, f: Array, c: Array, ties: NDArray[np.int64], picks: Picks, seed: int, scale: bool
) -> Row:
    """The columns of net, skill and evidence, of the items in `table`: grades `f` [m, k], chosen ones `c`
    [m], and by how many candidates each choice is shared.
    """
    asked = table["asked"].to_numpy()
    drawn, taken, shared = together(f, c, ties, asked)
    mixed = is_mixed(drawn)
    row = net_of_position(picks.grades, picks.shares, picks.clusters, seed_of("net", seed))
    # Sums over items that share a choice, as means over items; questions that were decided gain nothing.
    chosen = len(np.unique(asked[table["chosen_sample"].is_not_null().to_numpy()]))
    scaled = len(drawn) / len(f) * (len(picks.grades) / chosen if chosen else 1.0)
    row |= {
        name: row[name] and row[name] * scaled for name in ("net", "net_se", "net_low", "net_high", "luck")
    }
    row |= logit(picks.grades, picks.shares, picks.agreeing)
    row["p_index"] = index_dependence(drawn, seed_of("index", seed))
    if scale or not mixed.any():
        row |= dict.fromkeys(SKILL)
    else:
        row |= skill_row(drawn, taken, shared, len(f))
    row |= dict(zip(("ln_e", "ln_e_max"), _evidence(table, drawn, mixed, picks, seed), strict=True))
    tied = (shared == f.shape[1])[mixed]
    row["tied_mixed"] = tied.mean() if len(tied) else None
    return row


def _evidence(
    table: pl.DataFrame, drawn: Array, mixed: NDArray[np.bool_], picks: Picks, seed: int
) -> tuple[float | None, float | None]:
    """ln E and its largest, in the order in which a larger `limit` adds questions.

    Only where positions' luck cannot be taken for skill: for selectors without slots, or where orders differ.
    """
    if len(picks.grades) and table["order"].n_unique() == 1:
        return None, None
    first = np.unique(table["asked"].to_numpy(), return_index=True)[1]
    once = table[first.tolist()]
    best = np.isclose(drawn, drawn.max(axis=1, keepdims=True))
    shares = np.array(
        [
            0.0 if sample is None else row[list(shared or [sample])].mean()
            for row, sample, shared in zip(best, once["chosen_sample"], once["shared"].to_list(), strict=True)
        ]
    )
    rank = np.argsort([seed_of("question", seed, cluster) for cluster in once["cluster"]], kind="stable")
    kept = rank[mixed[rank]]
    return evidence(shares[kept], best.sum(axis=1)[kept], drawn.shape[1])


def ends(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The 95 % interval of DG-Diff that readers see: of few mixed questions the exact one, given the pool."""
    kind = "ci" if row["ci_low"] is not None else "exact"
    return row[f"{kind}_low"], row[f"{kind}_high"]


def tested(row: Row, scale: bool) -> tuple[float, float]:
    """The p-values that the verdict rests on, on both sides: of net where a model picks positions, else of
    uniform choice.
    """
    if row["p_net"] is None or scale:
        return row["p_randomisation"], row["p_worse"]
    return row["p_net"], row["p_net_worse"]


def verdict(row: Row) -> str:
    """Better, worse, equivalent or undecided; undecided where the row cannot speak about discrimination."""
    if not row["informative"]:
        return "undecided"
    equivalent = 1.0 if row["p_tost"] is None else row["p_tost"]
    return hypothesis.verdict(row["p_better"], row["p_less"], equivalent)


def _against_drawing(row: Row) -> bool:
    """Whether the verdict is about the choice as it is, and not about net alone, which luck may undo."""
    p = {"better": row["p_randomisation"], "worse": row["p_worse"]}.get(row["verdict"])
    return p is None or bool(p <= hypothesis.ALPHA)


def sentence(row: Row, unit: str) -> str:
    """The verdict in words that can be quoted; empty where the row cannot speak about discrimination."""
    if not row["informative"]:
        return ""
    words = {
        "better": "picks better than drawing",
        "worse": "picks worse than drawing",
        "equivalent": "picks no better and no worse than drawing",
        "undecided": "does not show whether it picks better than drawing",
    }
    if not _against_drawing(row):
        side = row["verdict"]
        words[side] = (
            f"picks {side} than its preference for positions would, and not shown {side} than drawing"
        )
    known = []
    if row["skill"] is not None:
        known.append(f"skill {row['skill']:.2f} [{row['skill_low']:.2f}, {row['skill_high']:.2f}]")
    if row["luck"] is not None:
        luck = f"{100 * row['luck']:+.1f} points" if unit == "percent" else f"{row['luck']:+.2f}"
        known.append(f"position alone would have given {luck}")
    tied = f", {row['tied_mixed']:.0%} of them tied" if row["tied_mixed"] else ""
    known.append(f"{row['mixed_questions']} mixed questions{tied}")
    return f"{words[row['verdict']]}: {'; '.join(known)}"
