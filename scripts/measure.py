"""Rule measure: the numbers of one target, a row a variant."""

import polars as pl

from selfincorrect.io import read_provenance, write_table
from selfincorrect.job import job
from selfincorrect.measure import measure

with job(snakemake):
    wildcards, inputs = snakemake.wildcards, snakemake.input
    metrics = measure(
        pl.read_parquet(inputs.dataset),
        pl.read_parquet(inputs.grades),
        pl.read_parquet(inputs.choices),
        int(wildcards.k),
        snakemake.params.slice["seed"],
    )
    names = pl.DataFrame({"model": [wildcards.model], "task": [wildcards.task]})
    write_table(snakemake.output[0], names.join(metrics, how="cross"), read_provenance(inputs.choices))
