"""Grade every candidate with the task's own metric."""

import polars as pl

from selfincorrect.tasks.base import Question, Task

SCHEMA = {
    "question_id": pl.String,
    "sample": pl.Int32,
    "extracted": pl.String,  # the task's normal form of the answer, null where there is none
    "grade": pl.Float64,
    "valid": pl.Boolean,  # whether an answer could be extracted
}


def grade_table(candidates: pl.DataFrame, questions: dict[str, Question], task: Task) -> pl.DataFrame:
    """A row of SCHEMA for each candidate. A candidate without an answer has grade 0 and is not valid."""
    rows = []
    for identity, sample, text in candidates.select("question_id", "sample", "text").iter_rows():
        extracted = None if text is None else task.extract(text)
        grade = task.grade(extracted, questions[identity])
        rows.append((identity, sample, extracted, grade, extracted is not None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
