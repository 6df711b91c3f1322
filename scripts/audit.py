"""Rule audit_table: a published table, checked against itself."""

from pathlib import Path

from selfincorrect.io import write_csv, write_text
from selfincorrect.jobs.job import job, log
from selfincorrect.paper import audit, published
from selfincorrect.report.figures import audit as figure
from selfincorrect.report.figures import style

with job(snakemake):
    name, output = snakemake.wildcards.audited, snakemake.output
    path = Path(snakemake.input[0]) if snakemake.input else published.path(name)
    audited = audit.audit(audit.read_published(path))
    lines = audit.findings(audited)
    if name == "table2":  # the paper prints some of its values elsewhere too
        lines += audit.contradictions(published.baseline())
    for line in lines:
        log.info(line)
    write_csv(output.csv, audited)
    write_text(output.page, audit.page(name, audited, lines))
    style.apply(snakemake.params.slice)
    style.save(figure.draw(audited), [output.pdf, output.png])
