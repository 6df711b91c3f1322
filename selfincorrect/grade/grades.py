"""Grade every candidate with the task's own metric, in each of its ways, or keep the grades that came with
a pool.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from selfincorrect.columns import Column
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import ERROR
from selfincorrect.errors import UserError
from selfincorrect.grade.identical import with_one_grade
from selfincorrect.grade.judges import ratings_of, readings
from selfincorrect.tasks.base import Question, Task, executes, grade_limits

GIVEN, JUDGED = "given", "judges"
# With a number behind it, the name of the grades by one of several ratings.
RATING = "rating_"
UNFINISHED = "unfinished_thought"


COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("sample", pl.Int32, "candidate"),
    Column("extracted", pl.String, "what was read from the answer, in the task's normal form; empty where "
                                   "there is nothing to read"),
    Column("grade", pl.Float64, "its grade; empty where a judge gave no rating, or a server no "
                                "answer", "score"),
    Column("valid", pl.Boolean, "whether an answer could be read"),
    Column("missing", pl.String, "why there is no answer: `context`, `refused`, `filtered`, `error`, or "
                                 "`unfinished_thought`"),
    Column("forced", pl.Boolean, "whether its thought was closed at the budget of `reasoning`"),
    Column("noisy", pl.Boolean, "whether identical answers were graded otherwise; each has their mean grade"),
    Column("fault", pl.String, "why a wrong answer is wrong, where its checker tells: of programs, puzzles, "
                               "instructions"),
    Column("grading", pl.String, "the way of grading that these are: the task's primary one, `judges`, or "
                                 "`given` with a pool"),
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
    """A row for each candidate: `question_id`, `sample`, `extracted` (the task's normal form of the answer,
    null where there is none), `grade`, `valid` (whether an answer could be extracted), `missing` (why
    there is no answer: see `reasons`), `forced` (whether its thought was closed), `noisy` (see
    `identical`), `fault` (why it is wrong), `grading` (the way of grading behind these: the task's primary
    one, or "given"), and for each other way `extracted_<name>`, `grade_<name>`.

    A candidate without an answer has the lowest grade and is not valid; one that a server failed to give
    has no grade. With `judgements` (rows of `judging.SCHEMA`) the judges' grades are the primary ones,
    null where a judge gave no reading. Where `candidates` has a column `grade`, these grades stand, and
    ours are beside them. Their texts are whole solutions, or final answers alone if `texts` is "final":
    then the text is the answer, and a longer one agrees with none but itself.
    """
    pool, missing = candidates.select("question_id", "sample", "text"), reasons(candidates)
    columns = _gradings(candidates, questions, task, texts, judgements)
    for values in columns.values():
        values["grade"] = [
            None if why == ERROR else grade for why, grade in zip(missing, values["grade"], strict=True)
        ]
    (primary, first), *others = columns.items()
    noisy = [False] * len(missing)
    # Rules give the same answer the same grade anyway.
    if primary in (GIVEN, JUDGED):
        first["grade"], noisy = with_one_grade(pool, first["grade"], questions)
        for name, values in others:
            if name.startswith(RATING):
                values["grade"], _ = with_one_grade(pool, values["grade"], questions)
    valid = [
        bool(text) and why is None if primary == JUDGED else form is not None
        for text, form, why in zip(pool["text"], first["extracted"], missing, strict=True)
    ]
    table = pool.select("question_id", "sample").with_columns(
        pl.Series("extracted", first["extracted"], dtype=pl.String),
        pl.Series("grade", first["grade"], dtype=pl.Float64),
        pl.Series("valid", valid, dtype=pl.Boolean),
        pl.Series("missing", missing, dtype=pl.String),
        pl.Series("forced", _forced(candidates), dtype=pl.Boolean),
        pl.Series("noisy", noisy, dtype=pl.Boolean),
        pl.Series("fault", _faults(candidates, questions, task, missing), dtype=pl.String),
        pl.lit(primary).alias("grading"),
    )
    for name, values in others:
        table = table.with_columns(
            pl.Series(f"extracted_{name}", values["extracted"], dtype=pl.String),
            pl.Series(f"grade_{name}", values["grade"], dtype=pl.Float64),
        )
    return table


def _gradings(
    candidates: pl.DataFrame,
    questions: Mapping[str, Question],
    task: Task,
    texts: str,
    judgements: pl.DataFrame | None,
) -> dict[str, dict[str, list[Any]]]:
    """What each way of grading reads of every candidate, and its grade, by name, the primary one first."""
    columns: dict[str, dict[str, list[Any]]] = {}
    if "grade" in candidates.columns:
        form = task.form if texts == "final" else task.extract
        forms = [form(text) if text else None for text in candidates["text"]]
        columns[GIVEN] = {"extracted": forms, "grade": candidates["grade"].to_list()}
    if judgements is not None:
        pool, ratings = candidates.select("question_id", "sample", "text"), ratings_of(judgements)
        each = {rating_name(number): _judged(pool, task, rating) for number, rating in ratings.items()}
        first = next(iter(each.values()))
        grades = [_mean(given) for given in zip(*(found["grade"] for found in each.values()), strict=True)]
        columns[JUDGED] = {**first, "grade": grades}
        columns |= each if len(each) > 1 else {}
    for name, (extract, grade) in task.GRADINGS.items():
        extracted = [None if text is None else extract(text) for text in candidates["text"]]
        asked = [questions[identity] for identity in candidates["question_id"]]
        columns[name] = {"extracted": extracted, "grade": _each(task, grade, extracted, asked)}
    if not columns:
        raise UserError(
            "These candidates have no grades, and the task is graded by judges alone. Give the pool grades, "
            "or the task a judge: judges: {judge: <model>}."
        )
    return columns


def _each(
    task: Task,
    told: Callable[[str | None, Question], Any],
    extracted: Sequence[str | None],
    questions: Sequence[Question],
) -> list[Any]:
    """What is `told` of each answer to its question; programs are run side by side, a core each."""
    if not executes(task):
        return list(map(told, extracted, questions))
    with ThreadPoolExecutor(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    ) as pool:
        return list(pool.map(told, extracted, questions))


def _faults(
    candidates: pl.DataFrame, questions: Mapping[str, Question], task: Task, missing: Sequence[str | None]
) -> list[str | None]:
    """Why each answer is wrong, where the task can tell; None where it is right or there is none."""
    why = getattr(task, "why", None)
    if why is None:
        return [None] * candidates.height
    extracted = [None if text is None else task.extract(text) for text in candidates["text"]]
    found = _each(task, why, extracted, [questions[identity] for identity in candidates["question_id"]])
    return [None if none else fault for fault, none in zip(found, missing, strict=True)]


def _forced(candidates: pl.DataFrame) -> pl.Series:
    """Whether the thought of each candidate was closed at its budget, as far as that is known."""
    if "forced" not in candidates.columns:
        return pl.Series([False] * candidates.height, dtype=pl.Boolean)
    return candidates["forced"].fill_null(False)


def reasons(candidates: pl.DataFrame) -> list[str | None]:
    """Why each candidate has no answer: one of `engines.NO_ANSWER`, "unfinished_thought", or None where it
    has one (or nobody knows, as of an empty text in a pool from elsewhere).
    """
    known = (
        candidates["finish_reason"] if "finish_reason" in candidates.columns else [None] * candidates.height
    )
    beside = candidates["reasoning"] if "reasoning" in candidates.columns else [None] * candidates.height
    return [
        why
        if text is None
        else UNFINISHED
        if thoughts.unfinished(text) or (reasoning and not text.strip())
        else None
        for text, why, reasoning in zip(candidates["text"], known, beside, strict=True)
    ]


def rating_name(number: int) -> str:
    """What the way of grading by one rating of the judges is called."""
    return f"{RATING}{number}"


def _mean(given: Sequence[float | None]) -> float | None:
    known = [grade for grade in given if grade is not None]
    return sum(known) / len(known) if known else None


def _judged(pool: pl.DataFrame, task: Task, judgements: pl.DataFrame) -> dict[str, list[Any]]:
    """Grades by judges; the normal form is the task's. A candidate that was never judged, for want of an
    answer, has the lowest.
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
