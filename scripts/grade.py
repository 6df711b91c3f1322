"""Rule grade: a grade for every candidate."""

import polars as pl

from selfincorrect.grade.stage import run
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job

with job(snakemake):
    inputs, settings = snakemake.input, snakemake.params.slice
    dataset, candidates = pl.read_parquet(inputs.dataset), pl.read_parquet(inputs.candidates)
    judged = pl.read_parquet(inputs.judgements) if inputs.get("judgements") else None
    told = read_provenance(inputs.judgements if inputs.get("judgements") else inputs.candidates)
    grades = run(dataset, candidates, judged, snakemake.wildcards.task, settings)
    write_table(snakemake.output[0], grades, told | {"grader": settings["code"]})
