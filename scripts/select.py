"""Rule select: choices among the candidates of a pool from elsewhere, by rules that need no model."""

from selfincorrect.io import read_provenance, read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.pools.stage import CHOICES, SelectSettings, select

with job(snakemake):
    inputs, wildcards = snakemake.input, snakemake.wildcards
    tables = read_tables(inputs, "dataset", "candidates", "grades")
    settings = SelectSettings(**snakemake.params.slice)
    choices = select(*tables, wildcards.task, settings, int(wildcards.k))
    write_table(snakemake.output[0], choices, read_provenance(inputs.candidates), CHOICES)
