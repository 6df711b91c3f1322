"""Rule refine: answers refined over rounds, and which of two answers the model prefers."""

import polars as pl

from selfincorrect.digest import digest
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.opened import opened_model
from selfincorrect.refine.stage import run

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    model = opened_model(inputs.model, task, snakemake.config, snakemake.threads, snakemake.log[0])
    made = run(pl.read_parquet(inputs.dataset), pl.read_parquet(inputs.candidates), task, model, settings)
    told = read_provenance(inputs.candidates) | {"prompt": digest(settings["prompts"]), "versions": versions()}
    for path, table in zip(snakemake.output, made, strict=True):
        write_table(path, table, told)
