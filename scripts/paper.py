"""Rule paper: the paper's tables and Figure 9, published beside measured."""

import polars as pl

from selfincorrect.io import read_json, write_csv, write_text
from selfincorrect.jobs.job import job
from selfincorrect.paper import tables as paper
from selfincorrect.report.figures import figure9, style

with job(snakemake):
    settings, inputs, output = snakemake.params.slice, snakemake.input, snakemake.output
    manifests = [read_json(path) for path in inputs.manifests]
    encoder_decoders = [manifest["name"] for manifest in manifests if manifest["encoder_decoder"]]
    metrics = pl.read_parquet(inputs.metrics)
    made = paper.tables(metrics, map(pl.read_parquet, inputs.refinements), settings, encoder_decoders)
    for name, csv, md, tex in zip(made, output.csv, output.md, output.tex, strict=True):
        write_csv(csv, made[name])
        write_text(md, paper.markdown(name, made[name]))
        write_text(tex, paper.latex(name, made[name]))
    style.apply(settings["figures"])
    style.save(figure9.draw(paper.cells_of_figure9(metrics, settings)), [output.pdf, output.png])
