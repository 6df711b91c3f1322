# The paper's tables and its Figure 9: published, measured, difference.
rule paper:
    input:
        metrics=rules.tables.output.metrics_parquet,
        refinements=ALL_REFINEMENTS,
        manifests=expand(MANIFEST, model=CONFIG.weighted),
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
        slice=slices.paper(CONFIG),
    script:
        "../../scripts/paper.py"
