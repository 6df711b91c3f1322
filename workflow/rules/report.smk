# The report: one HTML file that opens from disk.
rule report:
    input:
        metrics=rules.tables.output.metrics_parquet,
        figures=FIGURE_FILES,
        manifests=expand(MANIFEST, model=CONFIG.models),
        datasets=expand(DATASET, task=CONFIG.tasks),
        candidates=ALL_CANDIDATES,
        grades=ALL_GRADES,
        choices=ALL_CHOICES,
    output:
        REPORT,
    log:
        LOG.format(rule="report", name="report"),
    conda:
        "../../envs/environment.yaml"
    params:
        slice=slices.report(CONFIG),
    script:
        "../../scripts/report.py"
