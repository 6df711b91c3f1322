"""The items that a cell is measured on: the grades of the candidates beside the choice among them."""

from collections.abc import Iterator

import polars as pl

from selfincorrect.discriminate.choices import named
from selfincorrect.engines.requests import ERROR


def items(
    questions: pl.DataFrame, grades: pl.DataFrame, choices: pl.DataFrame, k: int, grading: str | None = None
) -> dict[str, pl.DataFrame]:
    """For each variant, in order of appearance, a table as `cell` takes it, with `shown`, the number of
    graded candidates.

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
    for (variant,), chosen in named(choices).group_by("variant", maintain_order=True):
        table = pool.join(chosen, on="question_id", validate="1:1")
        if table.height != pool.height:
            raise ValueError(f"variant {variant}: {table.height} choices for {pool.height} questions")
        tables[str(variant)] = table.sort("question_id")
    return tables


def complete(table: pl.DataFrame) -> pl.DataFrame:
    """The items whose candidates all have a grade, and whose choice did not fail."""
    return table.filter(
        pl.col("grade").list.eval(pl.element().is_not_null()).list.all() & (pl.col("how") != ERROR)
    )


def other_gradings(grades: pl.DataFrame) -> Iterator[str]:
    """Names of the ways of grading that stand beside the primary one in a table of grades."""
    return (name.removeprefix("grade_") for name in grades.columns if name.startswith("grade_"))
