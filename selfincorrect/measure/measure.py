"""Estimators: from the grades of the candidates and the choices made among them to rows of numbers, one a cell."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from selfincorrect.engines.requests import CONTEXT, ERROR, FILTERED, REFUSED
from selfincorrect.grade.grades import UNFINISHED
from selfincorrect.measure.cell import (
    SCORES,
    Row,
    best_grades,
    cell,
    chosen_grades,
    is_mixed,
    majority_grade,
    plain,
    scores,
    totals_of,
)


def measure(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, seed: int, unit: str = "percent"
) -> pl.DataFrame:
    """One row of `cell` for each variant in `choices`, in order of appearance.

    `unit` says what scores are: "percent" of fractions, or a "grade". Items without all their grades, or whose choice a server failed
    to give, are left out, and counted.
    """
    rows, answers = [], _answers(grades.filter(pl.col("sample") < k))
    for variant, table in paired(questions, grades, choices, k).items():
        graded = _graded(table)
        row = cell(graded, k, seed, unit) if graded.height else _empty(table, k, seed)
        ungraded = table.height - graded.height
        about = {
            "unit": unit,
            "grading": grades["grading"][0],
            "temperature": _temperature(table),
            "ungraded": ungraded,
        }
        note_ = " ".join(filter(None, [_left_out(table, ungraded), _unanswered(answers), row.pop("note")]))
        rows.append({"k": k, "variant": variant, **about, **row, **answers, "note": note_})
    return pl.DataFrame(rows, infer_schema_length=None)


def paired(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, grading: str | None = None
) -> dict[str, pl.DataFrame]:
    """For each variant a table as `cell` takes it: the grades of each question beside the choice among its candidates.

    `grading` names another grading than the primary one. Raises ValueError where candidates or choices are missing.
    """
    form, grade = (f"extracted_{grading}", f"grade_{grading}") if grading else ("extracted", "grade")
    graded = grades.select("question_id", "sample", pl.col(form).alias("extracted"), pl.col(grade).alias("grade"))
    whole = graded.group_by("question_id").agg(pl.col("grade").alias("pool"))
    pool = (
        graded.filter(pl.col("sample") < k)
        .sort("question_id", "sample")
        .group_by("question_id", maintain_order=True)
        .agg("grade", "extracted", pl.len().alias("shown"))
        .join(whole, on="question_id", validate="1:1")
        .join(questions.select("question_id", "cluster"), on="question_id", validate="1:1")
    )
    if not (pool["shown"] == k).all():
        raise ValueError(f"some questions have fewer than {k} graded candidates")
    tables = {}
    choices = choices.with_columns(pl.coalesce("asked", "question_id").alias("asked"))
    for (variant,), chosen in choices.group_by("variant", maintain_order=True):
        table = pool.join(chosen, on="question_id", validate="1:1")
        if table.height != pool.height:
            raise ValueError(f"variant {variant}: {table.height} choices for {pool.height} questions")
        tables[str(variant)] = table.sort("question_id")
    return tables


def gradings(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, unit: str = "percent"
) -> pl.DataFrame:
    """A row for each variant and grading: the same choices, scored by each way of grading, the primary one first.

    `differing` counts the candidates, of those shown, that this grading grades otherwise than the primary one.
    """
    primary = grades["grading"][0]
    others = [name.removeprefix("grade_") for name in grades.columns if name.startswith("grade_")]
    shown = grades.filter(pl.col("sample") < k)
    rows: list[Row] = []
    for grading in (None, *others):
        differing = shown.filter(pl.col("grade") != pl.col(f"grade_{grading}")).height if grading else 0
        for variant, whole in paired(questions, grades, choices, k, grading).items():
            table = _graded(whole)
            about = {
                "k": k,
                "variant": variant,
                "grading": grading or primary,
                "primary": grading is None,
                "n": table.height,
            }
            if not table.height:
                nothing = dict.fromkeys((*SCORES, "oracle", "majority"))
                rows.append({**about, **nothing, "mixed_questions": 0, "differing": differing})
                continue
            f = np.array(table["grade"].to_list(), dtype=float).reshape(-1, k)
            c = chosen_grades(f, table["chosen_sample"].to_list(), table["shared"].to_list())
            votes = [majority_grade(*pair) for pair in table.select("extracted", "grade").iter_rows()]
            totals = totals_of(f, table["asked"].to_numpy())
            row = {
                **about, **scores(f, c, table["cluster"].to_numpy(), unit == "grade"),
                "mixed_questions": int(is_mixed(totals).sum()), "oracle": best_grades(f, totals).mean(), "majority": np.mean(votes),
                "differing": differing,
            }  # fmt: skip
            rows.append({name: plain(value) for name, value in row.items()})
    order = {variant: place for place, variant in enumerate(choices["variant"].unique(maintain_order=True))}
    return pl.DataFrame(sorted(rows, key=lambda row: order[row["variant"]]), infer_schema_length=None)


def _graded(table: pl.DataFrame) -> pl.DataFrame:
    """The items of a table of `paired` whose candidates all have a grade, and whose choice did not fail."""
    return table.filter(pl.col("grade").list.eval(pl.element().is_not_null()).list.all() & (pl.col("how") != ERROR))


def _temperature(table: pl.DataFrame) -> float | None:
    """What the choices of a table of `paired` were decoded at, None for rules and for choices from elsewhere."""
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
    "candidates_unfinished_thought": (UNFINISHED,), "candidates_refused": (REFUSED, FILTERED), "candidates_too_long": (CONTEXT,),
    "candidates_failed": (ERROR,),
}  # fmt: skip


def _answers(shown: pl.DataFrame) -> dict[str, int]:
    """How many of the candidates shown have no answer, by reason."""
    why = shown["missing"] if "missing" in shown.columns else pl.Series([None] * shown.height, dtype=pl.String)
    return {name: int(why.is_in(reasons).sum()) for name, reasons in _REASONS.items()}


def _unanswered(answers: Mapping[str, int]) -> str:
    told = {
        "candidates_unfinished_thought": "never end their thought", "candidates_refused": "were refused",
        "candidates_too_long": "have a prompt beyond the model's context",
    }  # fmt: skip
    found = ", ".join(f"{answers[name]} {words}" for name, words in told.items() if answers[name])
    return f"Of the candidates {found}: they score the lowest grade." if found else ""


def _empty(table: pl.DataFrame, k: int, seed: int) -> Row:
    """A row like that of `cell`, of no item at all: counts are 0 and everything else is null."""
    made_up = table.with_columns(grade=pl.lit([0.0] * k), pool=pl.lit([0.0] * k))
    counts = (
        "n", "clusters", "choices", "mixed_questions", "valid", "loose", "too_long", "unfinished_thought", "refused", "n01", "n10",
    )  # fmt: skip
    row: Row = {name: 0 if name in counts else None for name in cell(made_up, k, seed)}
    told = {"selector": table["selector"][0], "verdict": "undecided", "informative": False, "nearly_constant": False}
    return row | told | {"p_randomisation": 1.0, "p_worse": 1.0, "note": ""}
