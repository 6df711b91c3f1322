"""Rule tables: everything over all cells."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.report import tables as made

CHOSEN = ["question_id", "asked", "k", "variant", "selector", "order", "chosen_sample", "valid"]


def tables(inputs: Any, settings: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Tables by name. `inputs` are the rule's: paths of `metrics` and `gradings`, and, in the order of `settings["cells"]` (model, task),
    of `grades` and, for each k, of `choices`; paths of `datasets` are called as their task."""
    cells = [(model, task) for model, task in settings["cells"]]
    grades = dict(zip(cells, map(pl.read_parquet, inputs.grades), strict=True))
    each_k = len(inputs.choices) // max(len(cells), 1)
    chosen = {
        cell: pl.read_parquet(inputs.choices[place * each_k : (place + 1) * each_k], columns=CHOSEN)
        for place, cell in enumerate(cells)
    }
    clusters = {Path(path).stem: pl.read_parquet(path, columns=["question_id", "cluster"]) for path in inputs.datasets}
    metrics, gradings = (
        made.in_order(pl.concat(map(pl.read_parquet, paths), how="diagonal_relaxed"), settings)
        for paths in (inputs.metrics, inputs.gradings)
    )
    scored = set(metrics.filter(pl.col("unit") == "grade")["task"])
    return {
        "metrics": made.with_adjusted(metrics),
        "gradings": gradings,
        "grading_differences": made.differences_table(grades),
        "pass_at": made.pass_table(grades, clusters, scored),
        "slots": made.slots_table(chosen),
        "flips": made.flips_table(chosen, settings["pairs"]),
    }
