"""Rule measure: the numbers of one target, a row a variant."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from selfincorrect.measure.measure import gradings, measure


def run(
    dataset: pl.DataFrame,
    grades: pl.DataFrame,
    choices: pl.DataFrame,
    model: str,
    task: str,
    k: int,
    settings: Mapping[str, Any],
) -> dict[str, pl.DataFrame]:
    """The tables `metrics` and `gradings` of one model on one task with k candidates; `settings` has `seed` and `unit`."""
    names = pl.DataFrame({"model": [model], "task": [task]})
    made = {
        "metrics": measure(dataset, grades, choices, k, settings["seed"], settings["unit"]),
        "gradings": gradings(dataset, grades, choices, k, settings["unit"]),
    }
    return {name: names.join(table, how="cross") for name, table in made.items()}
