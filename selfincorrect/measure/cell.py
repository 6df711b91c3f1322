"""The numbers of one cell, and what a reader must know before using them.

What each number means, and when to believe it, is in `docs/statistics.md`.
"""

import numpy as np
import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.measure.confidence import confidence
from selfincorrect.measure.discernment import FEW_MIXED, discernment, sentence, tested, verdict
from selfincorrect.measure.positions import FEW_PICKS, picks_of, positions
from selfincorrect.measure.scores import Row, anatomy, chosen_grades, invalid, plain, scores
from selfincorrect.measure.significance import significance

SURE = 0.001  # so that of a thousand cells about one is warned about by chance
FEW_VALID = 0.5  # with a smaller share of valid outputs, a score shows how the others are scored


def cell(table: pl.DataFrame, k: int, seed: int, unit: str = "percent") -> Row:
    """The numbers of one cell.

    `table` has a row an item: `question_id`, `cluster`, `asked` (items that share it share their choice),
    `grade` and `extracted` (lists over the k samples), `pool` (grades of all samples), `order`,
    `chosen_sample` (null if invalid), `shared` (the samples that tie for the choice, or null), `selector`,
    `how`, and `scores` and `probabilities` where they are known. Scores are fractions, or grades if that is
    the `unit`.
    """
    f = np.array(table["grade"].to_list(), dtype=float).reshape(-1, k)
    clusters, asked, scale = table["cluster"].to_numpy(), table["asked"].to_numpy(), unit == "grade"
    c = chosen_grades(f, table["chosen_sample"].to_list(), table["shared"].to_list())
    single = chosen_grades(f, table["chosen_sample"].to_list(), [None] * len(f))  # ties broken by the seed
    ties = np.array([len(shared) if shared else 1 for shared in table["shared"].to_list()])
    picks = np.array([f[i, seed_of("pick", seed, q, k) % k] for i, q in enumerate(table["asked"])])
    valid, found = table["chosen_sample"].is_not_null().to_numpy(), picks_of(table, k)
    row: Row = {
        "selector": table["selector"][0],
        "n": len(f),
        "clusters": len(np.unique(clusters)),
        "choices": len(np.unique(asked)),
        **scores(f, c, clusters, scale),
        **anatomy(f, c, clusters, table, k, seed, scale),
        **invalid(f, c, table),
        **significance(f, c, single, picks, clusters, valid, asked, scale, ties),
        **discernment(table, f, c, ties, found, seed, scale),
        **positions(table, found, k),
        **confidence(table, f, c, seed, scale),
    }
    row = {name: plain(value) for name, value in row.items()}
    if row["mixed_questions"] < FEW_MIXED:
        row |= {"ci_low": None, "ci_high": None}
    enough = row["valid"] >= FEW_PICKS and row["valid"] >= FEW_VALID * row["choices"]
    chooses = row["mixed_questions"] > 0 and row["tied_mixed"] != 1
    row["informative"] = bool(chooses and enough and not row["nearly_constant"])
    row["p_better"], row["p_less"] = tested(row, scale)
    row["verdict"] = verdict(row)
    return row | {"finding": sentence(row, unit), "note": note(row)}


def note(row: Row) -> str:
    """What a reader must know before using the row, in words; empty if nothing."""
    notes = []
    if not row["mixed_questions"]:
        notes.append("No question is mixed: DG-Diff is 0 whatever is picked.")
    if row["nearly_constant"]:
        notes.append(
            f"Picks are nearly constant: position {row['top_slot']} in {row['top_slot_share']:.0%} of "
            f"{row['valid']} valid answers. DG-Diff is that position's luck and says nothing of "
            "discrimination."
        )
    if row["p_index"] is not None and row["p_index"] <= SURE:
        notes.append("Grades depend on the sample's index: show the candidates in permuted orders.")
    if row["tied_mixed"] == 1:
        notes.append("All candidates of every mixed question tie: it does not choose.")
    if row["invalid"] > 0.05:
        notes.append(f"{row['invalid']:.0%} of the outputs name no usable label and score the lowest grade.")
    if row["valid"] < FEW_VALID * row["choices"]:
        notes.append(
            f"With {row['valid']} valid outputs of {row['choices']}, DG-Diff shows how invalid ones are "
            "scored, not discrimination."
        )
    elif row["valid"] < FEW_PICKS:
        notes.append(f"{row['valid']} valid outputs are too few to tell a choice from a position.")
    told = {
        "too_long": "prompts do not fit the model's context",
        "unfinished_thought": "outputs are thoughts that never end",
        "refused": "questions were refused",
    }  # fmt: skip
    notes += [f"{row[name]} {words}; they count as invalid." for name, words in told.items() if row[name]]
    return " ".join(notes)
