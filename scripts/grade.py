"""Rule grade: a grade for every candidate."""

from selfincorrect.grade.stage import COLUMNS, Settings, run
from selfincorrect.io import read_provenance, read_tables, write_table
from selfincorrect.jobs.job import job

with job(snakemake):
    inputs, settings = snakemake.input, snakemake.params.slice
    told = read_provenance(inputs.get("judgements") or inputs.candidates)
    tables = read_tables(inputs, "dataset", "candidates", "judgements")
    grades = run(*tables, snakemake.wildcards.task, Settings(**settings))
    write_table(snakemake.output[0], grades, told | {"grader": settings["code"]}, COLUMNS)
