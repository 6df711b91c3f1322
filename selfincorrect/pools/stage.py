"""Rule import_pool: a pool that was sampled elsewhere, and the choices that came with it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.digest import digest, file_sha256
from selfincorrect.discriminate.choices import COLUMNS as CHOICES
from selfincorrect.discriminate.choices import SCHEMA as CHOICES_SCHEMA
from selfincorrect.errors import UserError
from selfincorrect.generate.candidates import COLUMNS as CANDIDATES
from selfincorrect.generate.candidates import count_cut
from selfincorrect.io import read_provenance
from selfincorrect.jobs.provenance import versions
from selfincorrect.pools.formats import read, read_outputs
from selfincorrect.pools.kinds import Pool, Scores
from selfincorrect.pools.match import identities, pool_table, scores_of
from selfincorrect.pools.outputs import by_conversation, output_rows, score_rows
from selfincorrect.sections import StageSettings
from selfincorrect.tasks.base import grade_limits, sample_questions
from selfincorrect.tasks.conversations import pool_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

__all__ = ["COLUMNS", "Settings", "origin_of_pool", "run"]

COLUMNS = {"candidates": CANDIDATES, "given": CHOICES}

log = logging.getLogger("selfincorrect")


class Settings(StageSettings):
    """What import_pool is told: `pool` is as configured, `k` the numbers of candidates that are shown."""

    seed: int
    limit: int | None = None
    k: list[int]
    max_characters: int
    pool: Pool


def origin_of_pool(model: str, dataset: str, path: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the table of a pool is made of, for its metadata."""
    pool, sha256 = settings["pool"], file_sha256(Path(path))
    return {
        "model": {"name": model, "source": pool, "digest": digest([pool, sha256])},
        "data": read_provenance(dataset)["data"],
        "prompt": None,
        "settings": {"pool": pool, "sha256": sha256, "limit": settings["limit"]},
        "versions": versions(),
    }


def run(dataset: pl.DataFrame, path: Path | str, task: str, settings: Settings) -> dict[str, pl.DataFrame]:
    """The tables `candidates`, rows of `candidates.SCHEMA`, and `given`, rows of `choices.SCHEMA`: what came
    with a pool for the questions that `limit` draws.

    The pool's file is at `path`. Raises UserError if it has none of these questions.
    """
    candidates = _candidates(dataset, Path(path), task, settings)
    return {"candidates": candidates, "given": _given(dataset, candidates, settings)}


def _candidates(dataset: pl.DataFrame, path: Path, task: str, settings: Settings) -> pl.DataFrame:
    questions, longest = questions_of(dataset), settings.max_characters
    limits = grade_limits(get_task(task))
    table = pool_table(read(settings.pool), questions, path, max(settings.k), limits, longest)
    kept = [each.question_id for each in sample_questions(questions, settings.limit, settings.seed)]
    there = table["question_id"].n_unique()
    table = table.filter(pl.col("question_id").is_in(kept))
    count = table["question_id"].n_unique()
    if not count:
        raise UserError(
            f"{path}: none of its {there} questions is among the {len(kept)} that the task's `limit` draws. "
            "Raise or remove it."
        )
    log.info("%d candidates of %d questions", table.height, count)
    count_cut(table, longest, str(path))
    if without := len(kept) - count:
        lacking = "%s: %d of the %d questions asked have no candidates and are left out"
        log.warning(lacking, path, without, len(kept))
    return table


def _given(dataset: pl.DataFrame, candidates: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """What came with a pool beside its candidates, for each k: outputs and scores."""
    pool, rows = settings.pool, list[dict[str, Any]]()
    known = pool_of(candidates, None)
    items = [each for each in questions_of(dataset) if each.question_id in known]
    shown = len(next(iter(known.values())))
    if pool.outputs and shown in settings.k:  # the model was shown all of them
        outputs = read_outputs(pool)
        names = identities(list(outputs), questions_of(dataset), pool.file())
        asked = by_conversation(dict(zip(names, outputs.values(), strict=True)), items)
        rows += output_rows(asked, pool.outputs, shown)
    if pool.scores:
        told = pool.preferred()
        for name, scores in scores_of(pool, questions_of(dataset)).items():
            probabilities = isinstance(spec := told[name], Scores) and spec.probabilities
            for k in settings.k:
                rows += score_rows(name, scores, probabilities, items, k)
    return pl.DataFrame(spread(rows, items), schema=CHOICES_SCHEMA)
