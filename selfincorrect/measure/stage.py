"""Rule measure: the numbers of one target, a row a variant, and the same under every way of grading."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import polars as pl

from selfincorrect.columns import schema_of
from selfincorrect.engines.requests import CONTEXT, ERROR, FILTERED, REFUSED
from selfincorrect.grade.grades import UNFINISHED, rating_name
from selfincorrect.measure.cell import cell
from selfincorrect.measure.columns import CELL, EMPTY, GRADED
from selfincorrect.measure.items import COLUMNS as ITEMS
from selfincorrect.measure.items import Way, complete, items, items_table, other_gradings
from selfincorrect.measure.scores import Row, cross_fitted, plain
from selfincorrect.sections import StageSettings

COLUMNS = {"metrics": CELL, "gradings": GRADED, "per_question": ITEMS}


class Settings(StageSettings):
    """`unit` says what scores are: "percent" of fractions, or a "grade"."""

    seed: int
    unit: Literal["percent", "grade"]


def run(
    dataset: pl.DataFrame,
    grades: pl.DataFrame,
    choices: pl.DataFrame,
    model: str,
    task: str,
    k: int,
    settings: Settings,
) -> dict[str, pl.DataFrame]:
    """The tables `metrics`, `gradings` and `per_question` of one model on one task with k candidates."""
    tables = items(dataset, grades, choices, k)
    place = {way: number for number, way in enumerate(tables)}
    rows = [
        row | {"model": model, "task": task}
        for row in rows_of(dataset, grades, choices, k, settings.seed, settings.unit)
    ]
    return {
        "metrics": pl.DataFrame([row for row in rows if row["primary"]], schema=schema_of(CELL)),
        "gradings": pl.DataFrame(
            sorted(rows, key=lambda row: place[row["variant"], row["discriminator"]]),
            schema=schema_of(GRADED),
        ),
        "per_question": items_table(tables, model, task, k, settings.unit),
    }


def rows_of(
    questions: pl.DataFrame,
    grades: pl.DataFrame,
    choices: pl.DataFrame,
    k: int,
    seed: int,
    unit: str = "percent",
) -> Iterator[Row]:
    """A row for each way of grading, the primary one first, and each way of choosing in order of appearance:
    that of `cell`, and what is known of the cell beside.

    `unit` says what scores are: "percent" of fractions, or a "grade". Items without all their grades, or
    whose choice a server failed to give, are left out, and counted.
    """
    shown = grades.filter(pl.col("sample") < k)
    crossed = _crossed(questions, grades, choices, k)
    answers = _answers(shown)
    for grading in (None, *other_gradings(grades)):
        about = {
            "k": k,
            "unit": unit,
            "grading": grading or grades["grading"][0],
            "primary": grading is None,
            "differing": shown.filter(pl.col("grade") != pl.col(f"grade_{grading}")).height if grading else 0,
            **answers,
        }
        for way, table in items(questions, grades, choices, k, grading).items():
            graded = complete(table)
            row = cell(graded, k, seed, unit) if graded.height else EMPTY | {"selector": table["selector"][0]}
            ungraded = table.height - graded.height
            note = " ".join(filter(None, [_left_out(table, ungraded), _unanswered(answers), row["note"]]))
            told = {
                "oracle_cross": crossed.get(way),
                "variant": way[0],
                "discriminator": way[1],
                "temperature": _temperature(table),
                "ungraded": ungraded,
                "note": note,
            }
            yield row | about | told


def _crossed(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int
) -> dict[Way, float]:
    """The cross-fitted oracle of each way of choosing, where candidates were rated twice."""
    ratings = [rating_name(number) for number in (1, 2)]
    if not all(f"grade_{name}" in grades.columns for name in ratings):
        return {}
    found = {}
    first, second = (items(questions, grades, choices, k, name) for name in ratings)
    for way, table in first.items():
        both = complete(table).join(complete(second[way]), on="question_id")
        if both.height:
            one, other = (np.array(both[name].to_list(), dtype=float) for name in ("grade", "grade_right"))
            found[way] = cross_fitted(one, other, both["asked"].to_numpy())
    return found


def _temperature(table: pl.DataFrame) -> float | None:
    """What the choices of a table of `items` were decoded at, None for rules and for choices from
    elsewhere.
    """
    return plain(table["temperature"][0]) if "temperature" in table.columns else None


def _left_out(table: pl.DataFrame, count: int) -> str:
    if not count:
        return ""
    failed = table.filter(pl.col("how") == ERROR).height
    lacking = [f"{count - failed} lack a grade"] if count > failed else []
    lacking += [f"{failed} lack a choice, since calls failed"] if failed else []
    return f"{count} of {table.height} items are left out: {', '.join(lacking)}."


# Why candidates have no answer, as columns count them.
_REASONS = {
    "candidates_unfinished_thought": (UNFINISHED,), "candidates_refused": (REFUSED, FILTERED),
    "candidates_too_long": (CONTEXT,),
    "candidates_failed": (ERROR,),
}  # fmt: skip


def _answers(shown: pl.DataFrame) -> dict[str, int]:
    """How many of the candidates shown have no answer, by reason, and how many a noisy grade."""
    why = (
        shown["missing"] if "missing" in shown.columns else pl.Series([None] * shown.height, dtype=pl.String)
    )
    noisy = int(shown["noisy"].sum()) if "noisy" in shown.columns else 0
    found = {name: int(why.is_in(reasons).sum()) for name, reasons in _REASONS.items()}
    forced = int(shown["forced"].sum()) if "forced" in shown.columns else 0
    return found | {"candidates_noisy": noisy, "candidates_forced": forced}


def _unanswered(answers: Mapping[str, int]) -> str:
    told = {
        "candidates_unfinished_thought": "never end their thought", "candidates_refused": "were refused",
        "candidates_too_long": "have a prompt beyond the model's context",
    }  # fmt: skip
    found = ", ".join(f"{answers[name]} {words}" for name, words in told.items() if answers[name])
    notes = [f"Of the candidates {found}: they score the lowest grade."] if found else []
    if noisy := answers["candidates_noisy"]:
        notes.append(f"{noisy} candidates have the mean grade of identical ones that were graded otherwise.")
    return " ".join(notes)
