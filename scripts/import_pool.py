"""Rule import_pool: candidates sampled elsewhere, and what came with them, for the questions of a task."""

from selfincorrect.io import read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.pools.stage import COLUMNS, Settings, origin_of_pool, run

with job(snakemake):
    settings, inputs, wildcards = snakemake.params.slice, snakemake.input, snakemake.wildcards
    tables = run(*read_tables(inputs, "dataset"), inputs.pool, wildcards.task, Settings(**settings))
    told = origin_of_pool(wildcards.model, inputs.dataset, inputs.pool, settings)
    for name, table in tables.items():
        write_table(snakemake.output[name], table, told, COLUMNS[name])
