"""Rule measure: the numbers of one target, a row a variant."""

import polars as pl

from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.measure.measure import gradings, measure

with job(snakemake):
    wildcards, inputs, settings = snakemake.wildcards, snakemake.input, snakemake.params.slice
    questions, grades, choices = (pl.read_parquet(inputs[name]) for name in ("dataset", "grades", "choices"))
    names = pl.DataFrame({"model": [wildcards.model], "task": [wildcards.task]})
    made = {
        "metrics": measure(questions, grades, choices, int(wildcards.k), settings["seed"], settings["unit"]),
        "gradings": gradings(questions, grades, choices, int(wildcards.k), settings["unit"]),
    }
    for name, table in made.items():
        write_table(snakemake.output[name], names.join(table, how="cross"), read_provenance(inputs.choices))
