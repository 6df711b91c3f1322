# Needs the numbers of all targets, and the paper's tables; makes tables, figures, the report, one HTML file that opens from disk, and the
# record, by which the run can be made again elsewhere.
rule tables:
    input:
        metrics=ALL_METRICS,
        gradings=ALL_GRADINGS,
        per_question=ALL_PER_QUESTION,
        candidates=ALL_CANDIDATES,
        grades=ALL_GRADES,
        choices=ALL_CHOICES,
        judgements=all_judgements,
        rounds=all_refined(ROUNDS),
        preferences=all_refined(PREFERENCES),
        manifests=all_manifests,
        datasets=all_datasets,
    output:
        **{
            f"{table}_parquet": TABLE.format(table=table, kind="parquet")
            for table in TABLES
        },
        **{
            f"{table}_csv": report(
                TABLE.format(table=table, kind="csv"),
                caption="../report/table.rst",
                category="Tables",
                labels={"table": table.replace("_", " ")},
            )
            for table in TABLES
        },
    log:
        LOG.format(rule="tables", name="tables"),
    benchmark:
        BENCHMARK.format(rule="tables", name="tables")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: page_slices.tables(CONFIG),
    script:
        "../../scripts/tables.py"


rule figures:
    input:
        metrics=rules.tables.output.metrics_parquet,
        slots=rules.tables.output.slots_parquet,
        best_of=rules.tables.output.best_of_parquet,
        compute=rules.tables.output.compute_parquet,
        matrix=rules.tables.output.matrix_parquet,
        difficulty=rules.tables.output.difficulty_parquet,
    output:
        pdf=expand(FIGURE, figure=FIGURES, kind="pdf"),
        png=[
            report(
                FIGURE.format(figure=figure, kind="png"),
                caption="../report/figure.rst",
                category="Figures",
                labels={"figure": figure},
            )
            for figure in FIGURES
        ],
    log:
        LOG.format(rule="figures", name="figures"),
    benchmark:
        BENCHMARK.format(rule="figures", name="figures")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: page_slices.figures(CONFIG),
    script:
        "../../scripts/figures.py"


rule report:
    input:
        metrics=rules.tables.output.metrics_parquet,
        tables=rules.tables.output,
        gradings=rules.tables.output.gradings_parquet,
        differences=rules.tables.output.grading_differences_parquet,
        contrasts=rules.tables.output.contrasts_parquet,
        pooled=rules.tables.output.pooled_parquet,
        selectors=rules.tables.output.selectors_parquet,
        compute=rules.tables.output.compute_parquet,
        overtaking=rules.tables.output.overtaking_parquet,
        accounting=rules.tables.output.accounting_parquet,
        figures=FIGURE_FILES,
        paper=rules.paper.output.csv,
        figure9=rules.paper.output.png,
        refinements=all_refined(REFINEMENT),
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
        slice=lambda wildcards: page_slices.report(CONFIG),
    script:
        "../../scripts/report.py"
