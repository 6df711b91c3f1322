"""Rule import_pool: candidates that were sampled elsewhere, checked and matched to the questions of a
task.
"""

from selfincorrect.io import read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.pools.stage import CANDIDATES, Settings, origin_of_pool, run

with job(snakemake):
    settings, inputs, wildcards = snakemake.params.slice, snakemake.input, snakemake.wildcards
    table = run(*read_tables(inputs, "dataset"), inputs.pool, wildcards.task, Settings(**settings))
    told = origin_of_pool(wildcards.model, inputs.dataset, inputs.pool, settings)
    write_table(snakemake.output[0], table, told, CANDIDATES)
