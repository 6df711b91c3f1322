"""Rule figure: one figure as PDF and PNG."""

from importlib import import_module

import polars as pl

from selfincorrect.figures import style
from selfincorrect.job import job

with job(snakemake):
    style.apply(snakemake.params.slice)
    figure = import_module(f"selfincorrect.figures.{snakemake.wildcards.figure}")
    metrics, slots = (pl.read_parquet(path) for path in snakemake.input)
    style.save(figure.draw(metrics, slots), list(snakemake.output))
