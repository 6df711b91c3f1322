"""Rule figures: every figure as PDF and PNG."""

from importlib import import_module

import polars as pl

from selfincorrect.figures import NAMES, style
from selfincorrect.job import job

with job(snakemake):
    style.apply(snakemake.params.slice)
    metrics, slots = (pl.read_parquet(path) for path in snakemake.input)
    for name, *paths in zip(NAMES, snakemake.output.pdf, snakemake.output.png, strict=True):
        figure = import_module(f"selfincorrect.figures.{name}")
        style.save(figure.draw(metrics, slots), paths)
