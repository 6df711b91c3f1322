"""Rule report: one HTML file that opens from disk."""

from pathlib import Path

from selfincorrect.io import write_text
from selfincorrect.job import job
from selfincorrect.report import render
from selfincorrect.report_data import gather

with job(snakemake):
    results = Path(snakemake.output[0]).parent
    context = gather(snakemake.input, snakemake.params.slice, snakemake.config, Path(snakemake.scriptdir), results)
    write_text(snakemake.output[0], render(context))
