"""Rule discriminate: what one model chooses among candidates of one shard of questions, in every variant."""

from selfincorrect.discriminate.stage import COLUMNS, Settings, run
from selfincorrect.io import read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import origin
from selfincorrect.models.opened import opened_model

with job(snakemake):
    settings, inputs, wildcards = snakemake.params.slice, snakemake.input, snakemake.wildcards
    model = opened_model(inputs.model, wildcards.task, snakemake.config, snakemake.threads, snakemake.log[0])
    tables = read_tables(inputs, "dataset", "candidates", "grades")
    choices = run(*tables, wildcards.task, model, Settings(**settings), int(wildcards.shard))
    told = origin(model.told(), inputs.dataset, settings, without=("code", "k", "shards"))
    write_table(snakemake.output[0], choices, told, COLUMNS)
