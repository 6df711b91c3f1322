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
    changed = {
        key: value
        for key, value in options.items()
        if value != defaults[key] and key not in ("tasks", "models")
    }
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
    """Number of items of each of the paper's tasks."""
    return {row["task"]: int(row["items"]) for row in _rows("tasks")}


def _rows(name: str) -> list[dict[str, str]]:
    # Read without polars: the configuration's check needs this, and should stay quick.
    with open(path(name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def path(name: str) -> Path:
    """Where a published table lies: "table2" … "table8", "figure9", or "tasks" (items and test of each task)."""
    return Path(__file__).with_name(f"{name}.csv")


def table(name: str) -> "pl.DataFrame":
    """A published table; names as for `path`."""
    import polars as pl  # the configuration's check imports this module, and should stay quick

    return pl.read_csv(path(name))


def baseline() -> "pl.DataFrame":
    """Every printed value of the paper's main setting, wherever it is printed: `source`, `model`, `task`, `quantity`, `value`."""
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
            source = f"{name[:-1].title()} {name[-1]}"
            parts.append(
                values.select(
                    pl.lit(source).alias("source"), "model", "task",
                    pl.lit(quantity).alias("quantity"), pl.col(column).alias("value"),
                )
            )  # fmt: skip
    return pl.concat(parts)
