"""Items of one cell, as `per_question.parquet` has them."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from selfincorrect.columns import schema_of
from selfincorrect.measure.items import COLUMNS


def cell_items(picks: Sequence[int], grades: Sequence[float] = (1.0, 0.0), **changed: Any) -> pl.DataFrame:
    """A question for each of `picks`, the sample chosen among candidates of `grades`."""
    names = [f"q{i}" for i in range(len(picks))]
    columns = {
        "model": "m", "task": "t", "k": 2, "variant": "full", "discriminator": None, "selector": "choose",
        "unit": "percent",
        "question_id": names, "cluster": names, "asked": names, "grades": [list(grades)] * len(picks),
        "order": [[0, 1]] * len(picks), "chosen_sample": list(picks), "shared": None, "how": "strict",
        "scores": None, "margin": None, "mean_grade": sum(grades) / len(grades),
        "chosen_grade": [grades[pick] for pick in picks],
    }  # fmt: skip
    return pl.DataFrame(columns | changed, schema=schema_of(COLUMNS))
