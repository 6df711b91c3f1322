"""Rule tables: everything over all cells."""

from selfincorrect.io import write_csv, write_table
from selfincorrect.jobs.job import job
from selfincorrect.report.stage import COLUMNS, Settings, tables

with job(snakemake):
    output = snakemake.output
    for name, table in tables(snakemake.input, Settings(**snakemake.params.slice)).items():
        write_table(output[f"{name}_parquet"], table, columns=COLUMNS[name])
        write_csv(output[f"{name}_csv"], table)
