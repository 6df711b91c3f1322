"""The items that a cell is measured on: the grades of the candidates beside the choice among them."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.discriminate.choices import named
from selfincorrect.engines.requests import ERROR
from selfincorrect.measure.confidence import margins_of
from selfincorrect.measure.scores import chosen_grades

COLUMNS = [
    Column("model", pl.String, "model whose answers are the candidates"),
    Column("task", pl.String, "task that they answer"),
    Column("k", pl.Int64, "number of candidates shown"),
    Column("variant", pl.String, "variant"),
    Column("discriminator", pl.String, "model that was asked, as of choices"),
    Column("selector", pl.String, "who chose"),
    Column("unit", pl.String, "what scores are, as of metrics"),
    Column("question_id", pl.String, "question (item)"),
    Column("cluster", pl.String, "items that are not independent share it"),
    Column("asked", pl.String, "items that share it share their choice"),
    Column("grades", pl.List(pl.Float64), "grades of the candidates shown, by sample", "score"),
    Column("order", pl.List(pl.Int32), "the samples in the order shown"),
    Column("chosen_sample", pl.Int32, "the candidate chosen; empty if invalid"),
    Column("shared", pl.List(pl.Int32), "the samples that tie for the choice; empty if one was chosen"),
    Column("how", pl.String, "how it was read, as of choices"),
    Column("scores", pl.List(pl.Float64), "the preference, as of choices"),
    Column("margin", pl.Float64, "by how much the choice scores above the next other answer; infinite where "
        "there is no other, and of probabilities then the score"),
    Column("mean_grade", pl.Float64, "p, the mean of `grades`", "score"),
    Column("chosen_grade", pl.Float64, "c, the grade of the choice: the mean of those that tie, the lowest "
        "if invalid; empty where the item does not count", "score"),
]  # fmt: skip


Way = tuple[str, str | None]  # variant, discriminator


def items(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, grading: str | None = None
) -> dict[Way, pl.DataFrame]:
    """For each way of choosing, in order of appearance, a table as `cell` takes it, with `shown`, the number
    of graded candidates.

    `grading` names another grading than the primary one. Raises ValueError where candidates or choices are
    missing.
    """
    form, grade = (f"extracted_{grading}", f"grade_{grading}") if grading else ("extracted", "grade")
    graded = grades.select(
        "question_id", "sample", pl.col(form).alias("extracted"), pl.col(grade).alias("grade")
    )
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
    for (variant, asked), chosen in named(_with_discriminator(choices)).group_by(WAY, maintain_order=True):
        table = pool.join(chosen, on="question_id", validate="1:1")
        if table.height != pool.height:
            raise ValueError(f"variant {variant}: {table.height} choices for {pool.height} questions")
        tables[str(variant), None if asked is None else str(asked)] = table.sort("question_id")
    return tables


def items_table(tables: Mapping[Way, pl.DataFrame], model: str, task: str, k: int, unit: str) -> pl.DataFrame:
    """The `items` of all ways of choosing as rows of COLUMNS."""
    parts = [pl.DataFrame(schema=schema_of(COLUMNS))]
    for (variant, _), table in tables.items():
        counts = complete(table).select("question_id").with_columns(counts=True)
        table = table.join(counts, on="question_id", how="left", maintain_order="left")
        grades = np.array(table["grade"].to_list(), dtype=float).reshape(-1, k)
        chosen = chosen_grades(grades, table["chosen_sample"].to_list(), table["shared"].to_list())
        parts.append(
            table.with_columns(
                pl.lit(model).alias("model"),
                pl.lit(task).alias("task"),
                pl.lit(k, dtype=pl.Int64).alias("k"),
                pl.lit(variant).alias("variant"),
                pl.lit(unit).alias("unit"),
                pl.col("grade").alias("grades"),
                (pl.col("scores") if "scores" in table.columns else pl.lit(None)).alias("scores"),
                pl.Series("margin", margins_of(table), dtype=pl.Float64),
                pl.Series("mean_grade", grades.mean(axis=1)).fill_nan(None),
                pl.when("counts").then(pl.Series("chosen_grade", chosen)).alias("chosen_grade"),
            )
            .select(list(schema_of(COLUMNS)))
            .cast(pl.Schema(schema_of(COLUMNS)))
        )
    return pl.concat(parts)


def _with_discriminator(choices: pl.DataFrame) -> pl.DataFrame:
    """`choices` with its column `discriminator`, empty where a table of choices from elsewhere lacks it."""
    if "discriminator" in choices.columns:
        return choices
    return choices.with_columns(pl.lit(None, dtype=pl.String).alias("discriminator"))


def complete(table: pl.DataFrame) -> pl.DataFrame:
    """The items whose candidates all have a grade, and whose choice did not fail."""
    return table.filter(
        pl.col("grade").list.eval(pl.element().is_not_null()).list.all() & (pl.col("how") != ERROR)
    )


def other_gradings(grades: pl.DataFrame) -> Iterator[str]:
    """Names of the ways of grading that stand beside the primary one in a table of grades."""
    return (name.removeprefix("grade_") for name in grades.columns if name.startswith("grade_"))
