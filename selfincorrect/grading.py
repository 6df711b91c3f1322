"""Grade every candidate with the task's own metric, in each of its ways, or keep the grades that came with a pool."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from selfincorrect.errors import UserError
from selfincorrect.judging import readings
from selfincorrect.tasks.base import Question, Task, scored

GIVEN, JUDGED = "given", "judges"


def grade_table(
    candidates: pl.DataFrame,
    questions: Mapping[str, Question],
    task: Task,
    texts: str = "solution",
    judgements: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """A row for each candidate: `question_id`, `sample`, `extracted` (the task's normal form of the answer, null where there
    is none), `grade`, `valid` (whether an answer could be extracted), `grading` (the way of grading behind these: the task's
    primary one, or "given"), and for each other way `extracted_<name>`, `grade_<name>`.

    A candidate without an answer has grade 0 and is not valid. With `judgements` (rows of `judging.SCHEMA`) the judges' grades
    are the primary ones, null where a judge gave no reading. Where `candidates` has a column `grade`, these grades stand,
    and ours are beside them. Their texts are whole solutions, or final answers alone if `texts` is "final": then the text is
    the answer, and a longer one agrees with none but itself.
    """
    columns: dict[str, dict[str, list[Any]]] = {}
    pool = candidates.select("question_id", "sample", "text")
    if "grade" in candidates.columns:
        form = task.form if texts == "final" else task.extract
        forms = [form(text) if text else None for text in candidates["text"]]
        columns[GIVEN] = {"extracted": forms, "grade": candidates["grade"].to_list()}
    if judgements is not None:
        columns[JUDGED] = _judged(pool, task, judgements)
    for name, (extract, grade) in task.GRADINGS.items():
        extracted = [None if text is None else extract(text) for text in pool["text"]]
        graded = [
            grade(form, questions[identity]) for form, identity in zip(extracted, pool["question_id"], strict=True)
        ]
        columns[name] = {"extracted": extracted, "grade": graded}
    if not columns:
        raise UserError(
            "These candidates have no grades, and the task is graded by judges alone. Give the pool grades, or the task a judge: "
            "judges: {judge: <model>}."
        )
    (primary, first), *others = columns.items()
    table = pool.select("question_id", "sample").with_columns(
        pl.Series("extracted", first["extracted"], dtype=pl.String),
        pl.Series("grade", first["grade"], dtype=pl.Float64),
        pl.Series(
            "valid",
            [
                bool(text) if primary == JUDGED else form is not None
                for text, form in zip(pool["text"], first["extracted"], strict=True)
            ],
            dtype=pl.Boolean,
        ),
        pl.lit(primary).alias("grading"),
    )
    for name, values in others:
        table = table.with_columns(
            pl.Series(f"extracted_{name}", values["extracted"], dtype=pl.String),
            pl.Series(f"grade_{name}", values["grade"], dtype=pl.Float64),
        )
    return table


def _judged(pool: pl.DataFrame, task: Task, judgements: pl.DataFrame) -> dict[str, list[Any]]:
    """Grades by judges; the normal form is the task's. Of a candidate that was never judged, for want of a text, the grade is
    missing on a scale, else 0."""
    read = readings(judgements)
    extracted, grades = [], []
    for identity, sample, text in pool.iter_rows():
        extracted.append(None if text is None else task.extract(text))
        roles = read.get((identity, sample))
        if roles is not None:
            grades.append(task.judged(roles))  # type: ignore[attr-defined]
        else:
            grades.append(None if scored(task) else 0.0)
    return {"extracted": extracted, "grade": grades}
