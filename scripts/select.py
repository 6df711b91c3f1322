"""Rule select: all choices among the candidates of a pool: of the models that were asked, and by rules."""

from selfincorrect.discriminate.stage import COLUMNS, SCHEMA, SelectSettings, select
from selfincorrect.io import read_shards, read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import of_choices

with job(snakemake):
    inputs, task, told = snakemake.input, snakemake.wildcards.task, snakemake.params.slice
    tables, asked = read_tables(inputs, "dataset", "candidates", "grades"), read_shards(inputs.asked, SCHEMA)
    choices = select(*tables, asked, task, SelectSettings(**told))
    for path, table in zip(snakemake.output, choices.values(), strict=True):
        write_table(path, table, of_choices(inputs.candidates, inputs.asked), COLUMNS)
