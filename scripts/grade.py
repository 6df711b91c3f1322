"""Rule grade: a grade for every candidate."""

import polars as pl

from selfincorrect.grade.grades import grade_table
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

with job(snakemake):
    inputs, settings = snakemake.input, snakemake.params.slice
    candidates = pl.read_parquet(inputs.candidates)
    questions = {q.question_id: q for q in questions_of(pl.read_parquet(inputs.dataset))}
    judged = pl.read_parquet(inputs.judgements) if inputs.get("judgements") else None
    grades = grade_table(candidates, questions, get_task(snakemake.wildcards.task), settings["texts"], judged)
    origin = read_provenance(inputs.judgements if inputs.get("judgements") else inputs.candidates)
    write_table(snakemake.output[0], grades, origin | {"grader": settings["code"]})
