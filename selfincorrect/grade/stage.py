"""Rules judge and grade: what judges say of every candidate, and its grade."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

import polars as pl

from selfincorrect.grade.grades import COLUMNS, grade_table
from selfincorrect.grade.judges import COLUMNS as JUDGEMENTS
from selfincorrect.grade.judges import SCHEMA, cases, count_unread, judgements
from selfincorrect.grade.roles import SECOND
from selfincorrect.models.ask import OpenedModel, ask
from selfincorrect.sections import StageSettings
from selfincorrect.tasks.base import judges_of
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

__all__ = ["COLUMNS", "JUDGEMENTS", "JudgeSettings", "Settings", "judge", "run"]

log = logging.getLogger("selfincorrect")


class JudgeSettings(StageSettings):
    """`judges` are models by role; `tokens` is the longest output, None for the task's own, `primer` what
    an output begins with, `ratings` how often each candidate is rated.
    """

    seed: int
    judges: dict[str, str]
    tokens: int | None = None
    primer: str = ""
    ratings: int = 1


class Settings(StageSettings):
    """`texts` says what the texts of the pool are: whole solutions or final answers."""

    texts: Literal["solution", "final"] = "solution"


def judge(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    task: str,
    judges: Mapping[str, OpenedModel],
    settings: JudgeSettings,
    of: str,
) -> pl.DataFrame:
    """Rows of `judges.SCHEMA`: what the `judges` say of every candidate, in each attempt.

    They are given by role; those that rate after others by their role and SECOND, and their ratings count on.

    `of` is the model whose candidates they are.
    """
    questions, module, rows = questions_of(dataset), get_task(task), []
    for key, model in judges.items():
        role = key.removesuffix(SECOND)
        asked, before = judges_of(module)[role], 0 if key == role else settings.ratings
        if settings.tokens and asked.tokens > 1:
            asked = replace(asked, tokens=settings.tokens)
        what = f"judge {of} {task} ({key}: {model.name})"
        if model.name == of:
            log.warning("%s judges its own answers: its ratings favour them, compare with another judge", of)
        waiting = cases(questions, candidates, role, asked, module)
        asking = partial(ask, model=model, what=what)
        for rating in range(1, settings.ratings + 1):
            found = judgements(waiting, asked, model.name, settings.seed, asking, settings.primer, rating)
            count_unread(found, what)
            rows += [{**row, "rating": before + rating} for row in found]
    return pl.DataFrame(rows, schema=SCHEMA)


def run(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    judgements: pl.DataFrame | None,
    task: str,
    settings: Settings,
) -> pl.DataFrame:
    """A grade for every candidate, as `grades.grade_table` has them."""
    questions = {question.question_id: question for question in questions_of(dataset)}
    table = grade_table(candidates, questions, get_task(task), settings.texts, judgements)
    if count := int(table["noisy"].sum()):
        log.warning("%d candidates are identical to others and were graded otherwise: mean grades", count)
    return table
