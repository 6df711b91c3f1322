"""Rule judge: what the judges of a task say of every candidate."""

import polars as pl

from selfincorrect.grade.stage import judge
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.opened import opened_models

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    manifests = dict(zip(settings["judges"], inputs.judges, strict=True))
    judges = opened_models(manifests, f"judge-{task}", snakemake.config, snakemake.threads, snakemake.log[0])
    dataset, candidates = pl.read_parquet(inputs.dataset), pl.read_parquet(inputs.candidates)
    rows = judge(dataset, candidates, task, judges, settings, snakemake.wildcards.model)
    told = {"judges": {role: model.told() for role, model in judges.items()}, "versions": versions()}
    write_table(snakemake.output[0], rows, read_provenance(inputs.candidates) | told)
