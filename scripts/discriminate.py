"""Rule discriminate: the choices of one model among k of its candidates, for each k and in every variant."""

from selfincorrect.discriminate.stage import COLUMNS, Settings, run
from selfincorrect.io import read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import origin
from selfincorrect.models.opened import opened_model

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    model = opened_model(inputs.model, task, snakemake.config, snakemake.threads, snakemake.log[0])
    tables = run(*read_tables(inputs, "dataset", "candidates", "grades"), task, model, Settings(**settings))
    told = origin(model.told(), inputs.dataset, settings, without=("code", "k"))
    for path, table in zip(snakemake.output, tables.values(), strict=True):
        write_table(path, table, told, COLUMNS)
