"""Rule select: choices among the candidates of a pool from elsewhere, by rules that need no model."""

from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from selfincorrect.discriminate.choices import SCHEMA
from selfincorrect.discriminate.selectors import selected_rows
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.pools.formats import read_outputs
from selfincorrect.pools.kinds import Pool
from selfincorrect.pools.match import identities, output_rows
from selfincorrect.tasks.conversations import joined_pool, pool_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

with job(snakemake):
    settings, inputs, k = snakemake.params.slice, snakemake.input, int(snakemake.wildcards.k)
    pool = pool_of(pl.read_parquet(inputs.candidates), pl.read_parquet(inputs.grades))
    items = [each for each in questions_of(pl.read_parquet(inputs.dataset)) if each.question_id in pool]
    shown = joined_pool(items, pool, get_task(snakemake.wildcards.task))
    rows = []
    if settings["pool"]:
        given = TypeAdapter(Pool).validate_python(settings["pool"])
        if k == len(next(iter(pool.values()))):  # the model was shown all of them
            outputs = read_outputs(given)
            names = identities(list(outputs), questions_of(pl.read_parquet(inputs.dataset)), Path(inputs.pool))
            by_question = dict(zip(names, outputs.values(), strict=True))
            rows += output_rows(by_question, given.outputs, list(pool), k)
    for name, selector in settings["variants"].items():
        rows += selected_rows(name, selector, shown, list(shown), k, settings["seed"])
    write_table(
        snakemake.output[0], pl.DataFrame(spread(rows, items), schema=SCHEMA), read_provenance(inputs.candidates)
    )
