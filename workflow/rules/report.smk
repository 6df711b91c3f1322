# The report: one HTML file that opens from disk; and the record, by which the run can be made again elsewhere.
rule report:
    input:
        metrics=rules.tables.output.metrics_parquet,
        tables=rules.tables.output,
        gradings=rules.tables.output.gradings_parquet,
        differences=rules.tables.output.grading_differences_parquet,
        figures=FIGURE_FILES,
        paper=rules.paper.output.csv,
        figure9=rules.paper.output.png,
        refinements=all_refinements,
        manifests=all_manifests,
        datasets=all_datasets,
        candidates=ALL_CANDIDATES,
        grades=ALL_GRADES,
        choices=ALL_CHOICES,
    output:
        report=REPORT,
        record=RECORD,
    log:
        LOG.format(rule="report", name="report"),
    benchmark:
        BENCHMARK.format(rule="report", name="report")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.report(CONFIG),
    script:
        "../../scripts/report.py"
