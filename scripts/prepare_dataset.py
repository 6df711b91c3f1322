"""Rule prepare_dataset: all questions of one task, in one schema."""

from selfincorrect.io import write_table
from selfincorrect.jobs.job import job
from selfincorrect.tasks.questions import run

with job(snakemake):
    table, told = run(snakemake.wildcards.task, snakemake.params.slice["source"])
    write_table(snakemake.output[0], table, told)
