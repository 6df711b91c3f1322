"""Rule measure: the numbers of one target, a row a variant."""

from selfincorrect.io import read_provenance, read_tables, write_table
from selfincorrect.jobs.job import job
from selfincorrect.measure.stage import COLUMNS, Settings, run

with job(snakemake):
    inputs, wildcards = snakemake.input, snakemake.wildcards
    tables = read_tables(inputs, "dataset", "grades", "choices")
    settings = Settings(**snakemake.params.slice)
    made = run(*tables, wildcards.model, wildcards.task, int(wildcards.k), settings)
    for name, table in made.items():
        write_table(snakemake.output[name], table, read_provenance(inputs.choices), COLUMNS[name])
