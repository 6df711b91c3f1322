# Numbers, tables and figures.
rule measure:
    input:
        dataset=DATASET,
        grades=GRADES,
        choices=CHOICES,
    output:
        metrics=METRICS,
        gradings=GRADINGS,
    log:
        LOG.format(rule="measure", name="{model}/{task}/k{k}"),
    benchmark:
        BENCHMARK.format(rule="measure", name="{model}/{task}/k{k}")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.measure(CONFIG, wildcards.task),
    script:
        "../../scripts/measure.py"


rule tables:
    input:
        metrics=ALL_METRICS,
        gradings=ALL_GRADINGS,
        grades=ALL_GRADES,
        choices=ALL_CHOICES,
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
        slice=lambda wildcards: slices.tables(CONFIG),
    script:
        "../../scripts/tables.py"


rule figures:
    input:
        metrics=rules.tables.output.metrics_parquet,
        slots=rules.tables.output.slots_parquet,
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
        slice=lambda wildcards: slices.figures(CONFIG),
    script:
        "../../scripts/figures.py"
