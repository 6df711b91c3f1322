"""Rule grade: a grade for every candidate."""

import polars as pl

from selfincorrect.grading import grade_table
from selfincorrect.io import read_provenance, write_table
from selfincorrect.job import job
from selfincorrect.prepare import questions_of
from selfincorrect.tasks import get_task

with job(snakemake):
    candidates = pl.read_parquet(snakemake.input.candidates)
    questions = {q.question_id: q for q in questions_of(pl.read_parquet(snakemake.input.dataset))}
    task, settings = get_task(snakemake.wildcards.task), snakemake.params.slice
    grades = grade_table(candidates, questions, task, settings["texts"])
    origin = read_provenance(snakemake.input.candidates)
    write_table(snakemake.output[0], grades, origin | {"grader": settings["code"]})
