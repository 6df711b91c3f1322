"""Rule judge: what the judges of a task say of every candidate."""

from selfincorrect.grade.stage import JUDGEMENTS, JudgeSettings, judge
from selfincorrect.io import read_provenance, read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import judged_by
from selfincorrect.models.opened import opened_models

with job(snakemake):
    settings, inputs, task = snakemake.params.slice, snakemake.input, snakemake.wildcards.task
    manifests = dict(zip(settings["judges"], inputs.judges, strict=True))
    judges = opened_models(manifests, f"judge-{task}", snakemake.config, snakemake.threads, snakemake.log[0])
    told, of = JudgeSettings(**settings), snakemake.wildcards.model
    rows = judge(*read_tables(inputs, "dataset", "candidates"), task, judges, told, of)
    write_table(snakemake.output[0], rows, read_provenance(inputs.candidates) | judged_by(judges), JUDGEMENTS)
