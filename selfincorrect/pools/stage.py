"""Rules import_pool and select: a pool that was sampled elsewhere, and choices from it without a model."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.digest import digest, file_sha256
from selfincorrect.discriminate.choices import COLUMNS as CHOICES
from selfincorrect.discriminate.choices import SCHEMA, selected_rows
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
from selfincorrect.tasks.conversations import joined_pool, pool_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.variant import Variant

__all__ = ["CANDIDATES", "CHOICES", "SelectSettings", "Settings", "origin_of_pool", "run", "select"]

log = logging.getLogger("selfincorrect")


class Settings(StageSettings):
    """What import_pool is told: `pool` is as configured, `k` the largest number of candidates shown."""

    seed: int
    limit: int | None = None
    k: int
    max_characters: int
    pool: Pool


class SelectSettings(StageSettings):
    """What select is told: rules by name of the variant, and `pool`, None where it has candidates alone."""

    seed: int
    variants: dict[str, Variant]
    pool: Pool | None = None


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


def run(dataset: pl.DataFrame, path: Path | str, task: str, settings: Settings) -> pl.DataFrame:
    """Rows of `candidates.SCHEMA`: the candidates of a pool for the questions that `limit` draws.

    The pool's file is at `path`. Raises UserError if it has none of these questions.
    """
    path, questions, longest = Path(path), questions_of(dataset), settings.max_characters
    limits = grade_limits(get_task(task))
    table = pool_table(read(settings.pool), questions, path, settings.k, limits, longest)
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


def select(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    grades: pl.DataFrame,
    task: str,
    settings: SelectSettings,
    k: int,
) -> pl.DataFrame:
    """Rows of `choices.SCHEMA`: what rules without a model choose, and outputs that came with the pool."""
    pool = settings.pool
    known = pool_of(candidates, grades)
    items = [each for each in questions_of(dataset) if each.question_id in known]
    shown, rows = joined_pool(items, known, get_task(task)), []
    if pool and pool.outputs and k == len(next(iter(known.values()))):  # the model was shown all of them
        outputs = read_outputs(pool)
        names = identities(list(outputs), questions_of(dataset), pool.file())
        asked = by_conversation(dict(zip(names, outputs.values(), strict=True)), items)
        rows += output_rows(asked, pool.outputs, k)
    if pool and pool.scores:
        told = pool.preferred()
        for name, scores in scores_of(pool, questions_of(dataset)).items():
            probabilities = isinstance(spec := told[name], Scores) and spec.probabilities
            rows += score_rows(name, scores, probabilities, items, k)
    for name, variant in settings.variants.items():
        rows += selected_rows(name, variant, shown, list(shown), k, settings.seed)
    return pl.DataFrame(spread(rows, items), schema=SCHEMA)
