# The paper's tables and its Figure 9: published, measured, difference.
rule paper:
    input:
        metrics=rules.tables.output.metrics_parquet,
        refinements=all_refinements,
        manifests=all_manifests,
    output:
        csv=expand(PAPER, name=PAPER_NAMES, kind="csv"),
        md=expand(PAPER, name=PAPER_NAMES, kind="md"),
        tex=expand(PAPER, name=PAPER_NAMES, kind="tex"),
        pdf=PAPER.format(name="figure9", kind="pdf"),
        png=PAPER.format(name="figure9", kind="png"),
    log:
        LOG.format(rule="paper", name="paper"),
    benchmark:
        BENCHMARK.format(rule="paper", name="paper")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.paper(CONFIG),
    script:
        "../../scripts/paper.py"
