"""Rule refine: answers refined over rounds, and which of two answers the model prefers."""

from selfincorrect.io import read_provenance, read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import asked_with
from selfincorrect.models.opened import opened_model
from selfincorrect.refine.stage import COLUMNS, Settings, run

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    model = opened_model(inputs.model, task, snakemake.config, snakemake.threads, snakemake.log[0])
    made = run(*read_tables(inputs, "dataset", "candidates"), task, model, Settings(**settings))
    for path, table, columns in zip(snakemake.output, made, COLUMNS, strict=True):
        write_table(path, table, read_provenance(inputs.candidates) | asked_with(settings), columns)
