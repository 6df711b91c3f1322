"""Rule grade: a grade for every candidate."""

import polars as pl

from selfincorrect.grading import grade_table
from selfincorrect.io import read_provenance, write_table
from selfincorrect.job import job
from selfincorrect.prepare import questions_of
from selfincorrect.tasks import get_task

with job(snakemake):  # noqa: F821
    candidates = pl.read_parquet(snakemake.input.candidates)  # noqa: F821
    questions = {q.question_id: q for q in questions_of(pl.read_parquet(snakemake.input.dataset))}  # noqa: F821
    grades = grade_table(candidates, questions, get_task(snakemake.wildcards.task))  # noqa: F821
    origin = read_provenance(snakemake.input.candidates)  # noqa: F821
    write_table(snakemake.output[0], grades, origin | {"grader": snakemake.params.slice["code"]})  # noqa: F821
