"""How the model was asked, and what came of it, in sentences."""

import polars as pl

from selfincorrect.measure.hypothesis import ALPHA
from selfincorrect.report.shown import labelled, task_name

_SAID = {"better": "better than drawing one", "worse": "worse", "equivalent": "neither better nor worse"}


def findings(selectors: pl.DataFrame) -> list[str]:
    """A sentence for each model and task, at the largest k: which ways choose better than drawing, and worse.

    `selectors` are rows of `report.selectors.SELECTORS`. Ways that use the grades are left out.
    """
    told = corrected(labelled(selectors)).filter((pl.col("k") == pl.col("k").max()) & ~pl.col("labels_used"))
    return [
        _sentence(str(model), str(task), cell)
        for (model, task), cell in told.group_by("model", "task", maintain_order=True)
    ]


def corrected(cells: pl.DataFrame) -> pl.DataFrame:
    """The verdicts by p corrected for all cells, where a model was asked or said it; of rules as they are."""
    asked = pl.col("p_holm").is_not_null()
    kept = (
        pl.when(asked & (pl.col("p_holm") <= ALPHA))
        .then(pl.lit("better"))
        .when(asked & (pl.col("p_worse_holm") <= ALPHA))
        .then(pl.lit("worse"))
        .when(asked & pl.col("verdict").is_in(["better", "worse"]))
        .then(pl.lit("undecided"))
        .otherwise("verdict")
    )
    return cells.with_columns(kept.alias("verdict"))


def _sentence(model: str, task: str, cell: pl.DataFrame) -> str:
    parts = []
    for verdict, words in _SAID.items():
        found = cell.filter(pl.col("verdict") == verdict)["variant"].to_list()
        if found:
            parts.append(f"{_and(found)} {'chooses' if len(found) == 1 else 'choose'} {words}")
    left = cell.height - sum(cell["verdict"].is_in(list(_SAID)))
    if left:
        parts.append(f"of {left} {'more' if parts else 'ways'} it is not shown")
    return f"{model} on {task_name(task)}: {'; '.join(parts)}."


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
