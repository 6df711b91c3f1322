"""The questions of a task: read from its source, as a table, and back."""

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import chain
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from selfincorrect.digest import canonical_json, digest
from selfincorrect.errors import UserError
from selfincorrect.sources.fetch import describe, fetched
from selfincorrect.sources.kinds import Files, Generated, Source
from selfincorrect.sources.rows import read_rows
from selfincorrect.tasks.base import Question, Task
from selfincorrect.tasks.puzzles import base as puzzles
from selfincorrect.tasks.registry import get_task

log = logging.getLogger("selfincorrect")

QUESTION_SCHEMA: dict[str, Any] = {
    "question_id": pl.String,
    "cluster": pl.String,
    "question": pl.String,
    "references": pl.List(pl.String),
    "details": pl.String,  # JSON
}
# Errors of data with other columns, or with something else in them.
OTHER_COLUMNS = KeyError, TypeError, ValueError, AttributeError, pl.exceptions.PolarsError, RecursionError


def run(task: str, settings: Mapping[str, Any]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """All questions of a task from the source that `settings` describe, and what they are made of.

    The latter has the digest of the questions.
    """
    source: Source = TypeAdapter(Source).validate_python(settings)
    questions = load_questions(get_task(task), source)
    log.info("%d questions (licence: %s)", len(questions), source.license)
    found = digest([each.row() for each in questions])
    return question_table(questions), {"source": dict(settings), "data": found}


def load_questions(task: Task, source: Source) -> list[Question]:
    """All questions of a task from its source.

    Raises UserError if the data is not what was pinned or expected.
    """
    with ExitStack() as opened:
        try:
            questions = task.load(_rows(source, opened))
            question_table(questions)
            found = digest([question.row() for question in questions])
        except OTHER_COLUMNS as error:
            said = f"{type(error).__name__}: {str(error)[:300]}"
            raise UserError(
                f"{describe(source)} has not the columns of this task: {said}\nWanted: {task.COLUMNS}."
            ) from error
    identities = {question.question_id for question in questions}
    if not questions or len(identities) != len(questions):
        raise UserError(
            f"{describe(source)} holds {len(questions)} questions with {len(identities)} distinct ids."
        )
    if source.content_sha256 not in (None, found):
        raise UserError(
            f"{describe(source)} holds other questions than were pinned: "
            f"content digest {found}, expected {source.content_sha256}."
        )
    return questions


def _rows(source: Source, opened: ExitStack) -> Any:
    """The rows of a file, or of each of several files by what they hold."""
    if isinstance(source, Files):
        return {name: list(_rows(each, opened)) for name, each in source.files.items()}
    if isinstance(source, Generated):
        return puzzles.rows(source)
    path = opened.enter_context(fetched(source))
    return chain.from_iterable(map(read_rows, sorted(path.iterdir()) if path.is_dir() else [path]))


def question_table(questions: list[Question]) -> pl.DataFrame:
    rows = [question.row() | {"details": canonical_json(dict(question.details))} for question in questions]
    return pl.DataFrame(rows, schema=QUESTION_SCHEMA)


def questions_of(table: pl.DataFrame) -> list[Question]:
    """The questions of a table; the inverse of `question_table`."""

    def question(row: Mapping[str, Any]) -> Question:
        references, details = tuple(row["references"]), json.loads(row["details"])
        return Question(row["question_id"], row["cluster"], row["question"], references, details)

    return [question(row) for row in table.iter_rows(named=True)]
