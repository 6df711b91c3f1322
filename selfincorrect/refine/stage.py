"""Rule refine: answers refined over rounds, and which of two answers the model prefers."""

from functools import partial
from typing import NamedTuple

import polars as pl

from selfincorrect.discriminate.view import View
from selfincorrect.models.ask import OpenedModel, ask
from selfincorrect.refine import refinement
from selfincorrect.refine.refinement import MEASURED, PREFERENCES, ROUNDS, Settings
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

__all__ = ["COLUMNS", "Settings", "run"]

COLUMNS = (ROUNDS, PREFERENCES, MEASURED)


class Refined(NamedTuple):
    """Tables with the columns ROUNDS, PREFERENCES and MEASURED."""

    rounds: pl.DataFrame
    preferences: pl.DataFrame
    metrics: pl.DataFrame


def run(
    dataset: pl.DataFrame, candidates: pl.DataFrame, task: str, model: OpenedModel, settings: Settings
) -> Refined:
    """The first candidate of each question that has one, refined `settings.rounds` times."""
    first = dict(
        candidates.filter(pl.col("sample") == 0).drop_nulls("text").select("question_id", "text").iter_rows()
    )
    everything, module, prompts = questions_of(dataset), get_task(task), task_prompts(task)
    questions = [question for question in everything if question.question_id in first]

    asked = partial(ask, model=model, what=f"refine {model.name} {task}")
    refining = refinement.Refining(module, prompts, model.digest, settings)
    rows = refinement.refined(questions, first, refining, asked)
    view = View(module, prompts, settings.variant, 2, everything, settings)
    chosen = refinement.preferences(questions, rows, view, asked)
    rounds = pl.DataFrame(rows, schema=refinement.ROUNDS_SCHEMA)
    preferred = pl.DataFrame(chosen, schema=refinement.PREFERENCES_SCHEMA)
    metrics = refinement.measured(dataset, rounds, preferred, model.name, task, next(iter(module.GRADINGS)))
    return Refined(rounds, preferred, metrics)
