"""Estimators: from the grades of the candidates and the choices made among them to rows of numbers, one a cell."""

import numpy as np
import polars as pl

from selfincorrect.cell import (
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

    `unit` says what scores are: "percent" of fractions, or a "grade". Items without all their grades are left out, and counted.
    """
    rows = []
    for variant, table in paired(questions, grades, choices, k).items():
        graded = _graded(table)
        row = cell(graded, k, seed, unit) if graded.height else _empty(table, k, seed)
        ungraded = table.height - graded.height
        about = {"unit": unit, "grading": grades["grading"][0], "ungraded": ungraded}
        missing = f"{ungraded} of {table.height} items lack a judge's rating and are left out." if ungraded else ""
        note_ = " ".join(filter(None, [missing, row.pop("note")]))
        rows.append({"k": k, "variant": variant, **about, **row, "note": note_})
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
    """The items of a table of `paired` whose candidates all have a grade."""
    return table.filter(pl.col("grade").list.eval(pl.element().is_not_null()).list.all())


def _empty(table: pl.DataFrame, k: int, seed: int) -> Row:
    """A row like that of `cell`, of no item at all: counts are 0 and everything else is null."""
    made_up = table.with_columns(grade=pl.lit([0.0] * k), pool=pl.lit([0.0] * k))
    counts = ("n", "clusters", "choices", "mixed_questions", "valid", "loose", "too_long", "n01", "n10")
    row: Row = {name: 0 if name in counts else None for name in cell(made_up, k, seed)}
    told = {"selector": table["selector"][0], "verdict": "undecided", "informative": False, "nearly_constant": False}
    return row | told | {"p_randomisation": 1.0, "p_worse": 1.0, "note": ""}
