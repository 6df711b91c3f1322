# Numbers, tables and figures.
rule measure:
    input:
        dataset=DATASET,
        grades=GRADES,
        choices=CHOICES,
    output:
        METRICS,
    log:
        LOG.format(rule="measure", name="{model}/{task}/k{k}"),
    conda:
        "../../envs/environment.yaml"
    params:
        slice=slices.measure(CONFIG),
    script:
        "../../scripts/measure.py"


rule tables:
    input:
        metrics=ALL_METRICS,
        choices=ALL_CHOICES,
    output:
        metrics_csv=report(
            TABLE.format(table="metrics", kind="csv"),
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "metrics"},
        ),
        metrics_parquet=TABLE.format(table="metrics", kind="parquet"),
        slots_csv=report(
            TABLE.format(table="slots", kind="csv"),
            caption="../report/slots.rst",
            category="Tables",
            labels={"table": "picked positions"},
        ),
        slots_parquet=TABLE.format(table="slots", kind="parquet"),
    log:
        LOG.format(rule="tables", name="tables"),
    conda:
        "../../envs/environment.yaml"
    params:
        slice=slices.tables(CONFIG),
    script:
        "../../scripts/tables.py"


rule figure:
    input:
        metrics=rules.tables.output.metrics_parquet,
        slots=rules.tables.output.slots_parquet,
    output:
        pdf=FIGURE.format(figure="{figure}", kind="pdf"),
        png=report(
            FIGURE.format(figure="{figure}", kind="png"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        LOG.format(rule="figure", name="{figure}"),
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.figure(CONFIG, wildcards.figure),
    script:
        "../../scripts/figure.py"
