"""What of a run cannot be believed, or only so far, in sentences computed from its cells."""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from selfincorrect.measure.cell import FEW_VALID
from selfincorrect.measure.hypothesis import ALPHA
from selfincorrect.measure.positions import FEW_PICKS
from selfincorrect.report.shown import score, task_name


def doubts(metrics: pl.DataFrame, knowing: Collection[str]) -> list[str]:
    """What readers should not conclude from the cells in which a model chose: which say nothing, how many
    are tests of chance alone, and how small an effect could have been missed.

    Ways of `metrics` are named as in a `shown.labelled` table; those of `knowing` use the grades: they are in
    the correction, and are no findings.
    """
    asked = metrics.filter(pl.col("p_holm").is_not_null())
    if not asked.height:
        return [
            "Only rules that need no model chose here: they are the baselines that a model's own choice has "
            "to beat."
        ]
    return [*_silent(asked), *_tested(asked, knowing)]


def _silent(asked: pl.DataFrame) -> list[str]:
    """Why cells cannot speak about discrimination, each reason with the number of cells."""
    few = (pl.col("valid") < FEW_PICKS) | (pl.col("valid") < FEW_VALID * pl.col("choices"))
    unmixed = pl.col("mixed_questions") == 0
    reasons = [
        (
            pl.col("nearly_constant"),
            "nearly all picks name one position whatever stands there: the DG-Diff there is that position's "
            "luck and says nothing of discrimination",
        ),
        (unmixed, "no question is mixed, so DG-Diff is 0 whatever is picked"),
        (
            ~unmixed & (pl.col("tied_mixed") == 1),
            "all candidates of every mixed question tie: nothing was chosen",
        ),
        (few, f"there are fewer than {FEW_PICKS} usable choices, or they are fewer than half"),
    ]
    counted = [(asked.filter(where).height, why) for where, why in reasons]
    return [f"In {count} of {asked.height} cells {why}." for count, why in counted if count]


def _tested(asked: pl.DataFrame, knowing: Collection[str]) -> list[str]:
    """How many cells were tested, what survives a correction, and what may have been missed."""
    control = pl.col("variant").is_in(list(knowing))
    usable = asked.filter("informative", ~control)
    controls = asked.filter("informative", control).height
    left_out = f" (and {controls} of controls, which use the grades)" if controls else ""
    if not usable.height:
        return [
            "No cell remains that could speak about discrimination: take more questions or a stronger model."
        ]
    called = {name: usable.filter(pl.col("verdict") == name).height for name in ("better", "worse")}
    kept = {
        "better": usable.filter(pl.col("p_holm") <= ALPHA).height,
        "worse": usable.filter(pl.col("p_worse_holm") <= ALPHA).height,
    }
    lines = [
        f"Of {usable.height} cells that can speak{left_out}, each tested at 5 %, "
        f"{called['better']} are better than drawing and {called['worse']} worse; "
        f"corrected for all {asked.height} (Holm) {kept['better']} and {kept['worse']} remain. "
        "Only those are named as findings."
    ]
    undecided = usable.filter((pl.col("verdict") == "undecided") & pl.col("mde").is_not_null())
    if undecided.height:
        lines.append(_missed(undecided))
    return lines


def _missed(undecided: pl.DataFrame) -> str:
    """The smallest effects that undecided cells could have shown, a range for each task."""
    ranges = undecided.group_by("task", maintain_order=True).agg(
        pl.col("unit").first(), pl.col("mde").min().alias("low"), pl.col("mde").max().alias("high")
    )
    told = [
        f"{_range(row)}{' points' if row['unit'] == 'percent' else ''} on {task_name(row['task'])}"
        for row in ranges.iter_rows(named=True)
    ]
    cells = "The undecided cell" if undecided.height == 1 else f"The {undecided.height} undecided cells"
    return (
        f"{cells} may hide an effect. The smallest that they would have shown with 80 % power: "
        f"{'; '.join(told)}."
    )


def _range(row: Mapping[str, Any]) -> str:
    low, high = (score(row[end], row["unit"]) for end in ("low", "high"))
    return low if low == high else f"{low} to {high}"
