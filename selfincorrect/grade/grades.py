"""Grades of candidates: by the task's own metric, in each of its ways, or as they came with a pool."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from selfincorrect.columns import Column
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import ERROR
from selfincorrect.errors import UserError
from selfincorrect.grade.judges import readings
from selfincorrect.tasks.base import Question, Task, grade_limits

GIVEN, JUDGED = "given", "judges"
UNFINISHED = "unfinished_thought"

_EXTRACTED = "what was read from the answer, in the task's normal form; empty where there is nothing to read"
_GRADE = "its grade; empty where a judge gave no rating, or a server no answer"
_MISSING = "why there is no answer: `context`, `refused`, `filtered`, `error`, or `unfinished_thought`"
_GRADING = "the way of grading that these are: the task's primary one, `judges`, or `given` with a pool"
COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("sample", pl.Int32, "candidate"),
    Column("extracted", pl.String, _EXTRACTED),
    Column("grade", pl.Float64, _GRADE, "score"),
    Column("valid", pl.Boolean, "whether an answer could be read"),
    Column("missing", pl.String, _MISSING),
    Column("grading", pl.String, _GRADING),
    Column("extracted_…", pl.String, "what another way of grading read; a column a way, by its name"),
    Column("grade_…", pl.Float64, "the grade that it gave", "score"),
]  # fmt: skip


def grade_table(
    candidates: pl.DataFrame,
    questions: Mapping[str, Question],
    task: Task,
    texts: str = "solution",
    judgements: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """A row for each candidate, with the columns COLUMNS.

    `extracted` is the task's normal form of the answer, null where there is none; `missing` is as of
    `reasons`; `grading` is the way of grading behind these columns, and each other way has its
    `extracted_<name>` and `grade_<name>`.

    A candidate without an answer has the lowest grade and is not valid; one that a server failed to give has
    no grade. With `judgements` (rows of `judges.SCHEMA`) the judges' grades are the primary ones, null where
    a judge gave no reading. Where `candidates` has a column `grade`, these grades stand, and ours are beside
    them. Their texts are whole solutions, or only final answers if `texts` is "final": then the text is the
    answer, and a longer one agrees with none but itself.
    """
    columns: dict[str, dict[str, list[Any]]] = {}
    missing = reasons(candidates)
    pool = candidates.select("question_id", "sample", "text")
    if "grade" in candidates.columns:
        form = task.form if texts == "final" else task.extract
        forms = [form(text) if text else None for text in candidates["text"]]
        columns[GIVEN] = {"extracted": forms, "grade": candidates["grade"].to_list()}
    if judgements is not None:
        columns[JUDGED] = _judged(pool, task, judgements)
    for name, (extract, grade) in task.GRADINGS.items():
        extracted = [None if text is None else extract(text) for text in pool["text"]]
        pairs = zip(extracted, pool["question_id"], strict=True)
        graded = [grade(form, questions[identity]) for form, identity in pairs]
        columns[name] = {"extracted": extracted, "grade": graded}
    if not columns:
        raise UserError(
            "These candidates have no grades, and the task is graded by judges alone. "
            "Give the pool grades, or the task a judge: judges: {judge: <model>}."
        )
    for values in columns.values():
        known = zip(missing, values["grade"], strict=True)
        values["grade"] = [None if why == ERROR else grade for why, grade in known]
    (primary, first), *others = columns.items()
    valid = [
        bool(text) and why is None if primary == JUDGED else form is not None
        for text, form, why in zip(pool["text"], first["extracted"], missing, strict=True)
    ]
    table = pool.select("question_id", "sample").with_columns(
        pl.Series("extracted", first["extracted"], dtype=pl.String),
        pl.Series("grade", first["grade"], dtype=pl.Float64),
        pl.Series("valid", valid, dtype=pl.Boolean),
        pl.Series("missing", missing, dtype=pl.String),
        pl.lit(primary).alias("grading"),
    )
    for name, values in others:
        table = table.with_columns(
            pl.Series(f"extracted_{name}", values["extracted"], dtype=pl.String),
            pl.Series(f"grade_{name}", values["grade"], dtype=pl.Float64),
        )
    return table


def reasons(candidates: pl.DataFrame) -> list[str | None]:
    """Why each candidate has no answer: one of `engines.requests.NO_ANSWER`, or "unfinished_thought".

    It is None where there is one, or where nobody knows, as of an empty text in a pool from elsewhere.
    """
    columns, unknown = candidates.columns, [None] * candidates.height
    known = candidates["finish_reason"] if "finish_reason" in columns else unknown
    beside = candidates["reasoning"] if "reasoning" in columns else unknown

    def reason(text: str | None, why: str | None, reasoning: str | None) -> str | None:
        if text is None:
            return why
        return UNFINISHED if thoughts.unfinished(text) or (reasoning and not text.strip()) else None

    return [reason(*each) for each in zip(candidates["text"], known, beside, strict=True)]


def _judged(pool: pl.DataFrame, task: Task, judgements: pl.DataFrame) -> dict[str, list[Any]]:
    """Grades by judges; the normal form is the task's.

    A candidate that was never judged, for want of an answer, has the lowest grade.
    """
    read = readings(judgements)
    extracted, grades = [], []
    for identity, sample, text in pool.iter_rows():
        extracted.append(None if text is None else task.extract(text))
        roles = read.get((identity, sample))
        if roles is not None:
            grades.append(task.judged(roles))
        else:
            grades.append(grade_limits(task)[0])
    return {"extracted": extracted, "grade": grades}
