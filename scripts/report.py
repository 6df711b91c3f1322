"""Rule report: one HTML file that opens from disk, and the record of the run."""

from pathlib import Path

from selfincorrect.io import write_json, write_text
from selfincorrect.jobs.job import job
from selfincorrect.record.record import record
from selfincorrect.report.page.gather import Settings, gather
from selfincorrect.report.page.render import render

with job(snakemake):
    inputs, output, settings = snakemake.input, snakemake.output, Settings(**snakemake.params.slice)
    code = Path(snakemake.scriptdir)
    results = Path(output.report).parent
    write_text(output.report, render(gather(inputs, settings, snakemake.config, code, results)))
    # In the configuration order counts: tables follow it.
    write_json(
        output.record, record(inputs, snakemake.config, settings.seed, settings.pairs, code), sort=False
    )
