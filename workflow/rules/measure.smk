# Needs grades and choices; makes the numbers of one target: a row a variant, the same under every way of
# grading, and the questions behind them.
rule measure:
    input:
        dataset=DATASET,
        grades=GRADES,
        choices=CHOICES,
    output:
        metrics=METRICS,
        gradings=GRADINGS,
        per_question=PER_QUESTION,
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
