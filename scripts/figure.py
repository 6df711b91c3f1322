"""Rule figure: one figure as PDF and PNG."""

from importlib import import_module

import polars as pl

from selfincorrect.figures import style
from selfincorrect.job import job

with job(snakemake):  # noqa: F821
    style.apply(snakemake.params.slice)  # noqa: F821
    figure = import_module(f"selfincorrect.figures.{snakemake.wildcards.figure}")  # noqa: F821
    metrics, slots = (pl.read_parquet(path) for path in snakemake.input)  # noqa: F821
    style.save(figure.draw(metrics, slots), list(snakemake.output))  # noqa: F821
