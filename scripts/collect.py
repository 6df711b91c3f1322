"""Rule collect: the pool of one model on one task, from its shards."""

import polars as pl

from selfincorrect.io import read_provenance, write_table
from selfincorrect.job import job

with job(snakemake):  # noqa: F821
    shards = [pl.read_parquet(path) for path in snakemake.input]  # noqa: F821
    write_table(snakemake.output[0], pl.concat(shards), read_provenance(snakemake.input[0]))  # noqa: F821
