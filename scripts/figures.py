"""Rule figures: every figure as PDF and PNG."""

from importlib import import_module

import polars as pl

from selfincorrect.jobs.job import job
from selfincorrect.report.figures import NAMES, style
from selfincorrect.report.shown import labelled

with job(snakemake):
    style.apply(snakemake.params.slice)
    found = {name: pl.read_parquet(path) for name, path in snakemake.input.items()}
    tables = {name: table if name == "matrix" else labelled(table) for name, table in found.items()}
    for name, *paths in zip(NAMES, snakemake.output.pdf, snakemake.output.png, strict=True):
        figure = import_module(f"selfincorrect.report.figures.{name}")
        style.save(figure.draw(tables), paths)
