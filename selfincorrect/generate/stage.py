"""Rule generate: the candidates of one shard of questions."""

from functools import partial

import polars as pl

from selfincorrect.generate.candidates import COLUMNS, count_cut, sampled_pool
from selfincorrect.generate.settings import Settings
from selfincorrect.models.ask import OpenedModel, ask
from selfincorrect.tasks.base import sample_questions
from selfincorrect.tasks.conversations import shard_of
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.templates import task_prompts

__all__ = ["COLUMNS", "Settings", "run"]


def run(
    dataset: pl.DataFrame, task: str, model: OpenedModel, settings: Settings, shard: int = 0
) -> pl.DataFrame:
    """Rows of `candidates.SCHEMA`: n candidates for each question of a shard, in the data's order.

    `dataset` is a table of `questions.QUESTION_SCHEMA`, `task` a name.
    """
    chosen = sample_questions(questions_of(dataset), settings.limit, settings.seed)
    questions = shard_of(chosen, shard, settings.shards)
    what = f"generate {model.name} {task}"
    pool = sampled_pool(
        questions, task, task_prompts(task), model.digest, settings, partial(ask, model=model, what=what)
    )
    count_cut(pool, settings.sampling.max_characters, what)
    return pool
