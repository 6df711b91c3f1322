"""Rule select: choices among the candidates of a pool from elsewhere, by rules that need no model."""

import polars as pl

from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.pools.stage import select

with job(snakemake):
    inputs, wildcards = snakemake.input, snakemake.wildcards
    tables = (pl.read_parquet(inputs[name]) for name in ("dataset", "candidates", "grades"))
    choices = select(*tables, wildcards.task, snakemake.params.slice, int(wildcards.k))
    write_table(snakemake.output[0], choices, read_provenance(inputs.candidates))
