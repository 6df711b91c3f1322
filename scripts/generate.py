"""Rule generate: the candidates of one shard of questions."""

from selfincorrect.generate.stage import COLUMNS, Settings, run
from selfincorrect.io import read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import origin
from selfincorrect.models.opened import opened_model

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    model = opened_model(inputs.model, task, snakemake.config, snakemake.threads, snakemake.log[0])
    pool = run(
        *read_tables(inputs, "dataset"), task, model, Settings(**settings), int(snakemake.wildcards.shard)
    )
    write_table(snakemake.output[0], pool, origin(model.told(), inputs.dataset, settings), COLUMNS)
