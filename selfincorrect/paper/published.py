"""Numbers published in SELF-[IN]CORRECT (Jiang et al., AAAI 2025, arXiv 2404.04298), in points as printed."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

PAPER_K = 4  # candidates shown in all of the paper's tables
PAPER_TABLES = ("table2", "table4")  # those that print scores of both phases and can be audited


def setting_of(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> str | None:
    """Which of the paper's settings the options of a variant are; None if it is none of them."""
    own = [key for key in options if key not in ("tasks", "models", "discriminators")]
    changed = {key: options[key] for key in own if options[key] != defaults[key]}
    known: dict[str, Mapping[str, Any]] = {
        "full": {}, "simplified": {"distractors": "easy"}, "icl-2x": {"shots": 2}, "icl-3x": {"shots": 3},
        "cot": {"rationale": True}, "verbatim": {"answer": "text"}, "score": {"selector": "score"},
        "wording-2": {"wording": 2}, "wording-3": {"wording": 3},
    }  # fmt: skip
    return next((name for name, each in known.items() if each == changed), None)


@cache
def model_names() -> tuple[str, ...]:
    """The models of the paper, as it calls them."""
    return tuple(dict.fromkeys(row["model"] for name in ("table2", "table4") for row in _rows(name)))


@cache
def items() -> dict[str, int]:
    """The number of items of each of the paper's tasks."""
    return {row["task"]: int(row["items"]) for row in _rows("tasks")}


def _rows(name: str) -> list[dict[str, str]]:
    # Read without polars, because the configuration's check needs this and should stay quick.
    with open(path(name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def path(name: str) -> Path:
    """Where a published table lies.

    `name` is "table2" … "table8", "figure9" or "tasks" (the items and the test of each task).
    """
    return Path(__file__).with_name(f"{name}.csv")


def table(name: str) -> "pl.DataFrame":
    """A published table, by the names that `path` takes."""
    import polars as pl  # imported late: the configuration's check imports this module and should stay quick

    return pl.read_csv(path(name))


def baseline() -> "pl.DataFrame":
    """Every printed value of the paper's main setting, wherever it is printed.

    The columns are `source`, `model`, `task`, `quantity` and `value`.
    """
    import polars as pl

    places = {
        "table2": {"s_gen": "S_gen", "s_disc": "S_disc", "dg_diff": "DG-Diff"},
        "table6": {"s_gen": "S_gen", "s_disc_option": "S_disc"},
        "table8": {"s_gen": "S_gen", "s_disc": "S_disc"},
        "figure9": {"dg_diff_original": "DG-Diff"},
    }
    parts = []
    for name, columns in places.items():
        values = table(name)
        if name == "table8":
            values = values.filter(pl.col("wording") == 1)  # the wording of the main setting
        for column, quantity in columns.items():
            source = pl.lit(f"{name[:-1].title()} {name[-1]}").alias("source")
            named = pl.lit(quantity).alias("quantity")
            parts.append(values.select(source, "model", "task", named, pl.col(column).alias("value")))
    return pl.concat(parts)
