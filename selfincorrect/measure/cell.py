"""The numbers of one cell, and what a reader must know before using them.

What each number means, and when to believe it, is in `docs/statistics.md`.
"""

import numpy as np
import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.measure import hypothesis
from selfincorrect.measure.positions import positions
from selfincorrect.measure.scores import Row, anatomy, chosen_grades, invalid, plain, scores
from selfincorrect.measure.significance import significance

NEARLY_CONSTANT = 0.9  # share of one position among valid choices
FEW_PICKS = 5  # with fewer valid choices, nothing can be said of positions
FEW_VALID = 0.5  # with a smaller share of valid outputs, a score shows how the others are scored


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
        **anatomy(f, c, clusters, table, k, seed, scale),
        **invalid(f, c, table),
        **significance(
            f, c, single, picks, clusters, table["chosen_sample"].is_not_null().to_numpy(), asked, scale
        ),
        **positions(table, k),
    }
    row = {name: plain(value) for name, value in row.items()}
    row["nearly_constant"] = (row["top_slot_share"] or 0) >= NEARLY_CONSTANT and row["valid"] >= FEW_PICKS
    enough = row["valid"] >= FEW_PICKS and row["valid"] >= FEW_VALID * row["choices"]
    row["informative"] = row["mixed_questions"] > 0 and enough and not row["nearly_constant"]
    p_values = (row["p_randomisation"], row["p_worse"], 1.0 if row["p_tost"] is None else row["p_tost"])
    row["verdict"] = hypothesis.verdict(*p_values) if row["informative"] else "undecided"
    return row | {"note": note(row)}


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
