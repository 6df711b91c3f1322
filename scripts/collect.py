"""Rule collect: the pool of one model on one task, from its shards."""

from selfincorrect.generate.candidates import COLUMNS, SCHEMA
from selfincorrect.io import read_provenance, read_shards, write_table
from selfincorrect.jobs.job import job

with job(snakemake):
    candidates = read_shards(snakemake.input, SCHEMA)
    write_table(snakemake.output[0], candidates, read_provenance(snakemake.input[0]), COLUMNS)
