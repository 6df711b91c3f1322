"""Rule collect: the pool of one model on one task, from its shards."""

import polars as pl

from selfincorrect.generate.candidates import COLUMNS, SCHEMA
from selfincorrect.io import read_provenance, read_table, write_table
from selfincorrect.jobs.job import job

with job(snakemake):
    shards = [read_table(path, SCHEMA) for path in snakemake.input]
    write_table(snakemake.output[0], pl.concat(shards), read_provenance(snakemake.input[0]), COLUMNS)
