"""Rule import_pool: candidates that were sampled elsewhere, checked and matched to the questions of a task."""

from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from selfincorrect.digest import digest, file_sha256
from selfincorrect.errors import UserError
from selfincorrect.generate.candidates import count_cut
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job, log
from selfincorrect.jobs.provenance import versions
from selfincorrect.pools.formats import read
from selfincorrect.pools.kinds import Pool
from selfincorrect.pools.match import pool_table
from selfincorrect.tasks.base import grade_limits, sample_questions
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

with job(snakemake):
    settings, inputs = snakemake.params.slice, snakemake.input
    pool, path = TypeAdapter(Pool).validate_python(settings["pool"]), Path(inputs.pool)
    questions = questions_of(pl.read_parquet(inputs.dataset))
    limits = grade_limits(get_task(snakemake.wildcards.task))
    table = pool_table(read(pool), questions, path, settings["k"], limits, settings["max_characters"])
    kept = [each.question_id for each in sample_questions(questions, settings["limit"], settings["seed"])]
    there = set(table["question_id"])
    table = table.filter(pl.col("question_id").is_in(kept))
    found = table["question_id"].n_unique()
    if not found:
        raise UserError(
            f"{path}: none of its {len(there)} questions is among the {len(kept)} that `limit` draws. Raise or remove "
            f"tasks.{snakemake.wildcards.task}.limit."
        )
    log.info("%d candidates of %d questions", table.height, found)
    count_cut(table, settings["max_characters"], str(path))
    if found < len(kept):
        log.warning(
            "%s: %d of the %d questions asked have no candidates and are left out", path, len(kept) - found, len(kept)
        )
    sha256 = file_sha256(path)
    write_table(
        snakemake.output[0],
        table,
        {
            "model": {
                "name": snakemake.wildcards.model,
                "source": settings["pool"],
                "digest": digest([settings["pool"], sha256]),
            },
            "data": read_provenance(inputs.dataset)["data"],
            "prompt": None,
            "settings": {"pool": settings["pool"], "sha256": sha256, "limit": settings["limit"]},
            "versions": versions(),
        },
    )
