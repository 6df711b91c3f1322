# Needs the table of metrics; makes the paper's tables and its Figure 9: published, measured, difference. And, of published tables alone,
# whether their p-values can come from their scores.
rule paper:
    input:
        metrics=TABLE.format(table="metrics", kind="parquet"),
        refinements=all_refined(REFINEMENT),
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
        slice=lambda wildcards: page_slices.paper(CONFIG),
    script:
        "../../scripts/paper.py"


rule audit_table:
    input:
        lambda wildcards: (
            Path(CONFIG.audit[wildcards.audited]).expanduser()
            if wildcards.audited in CONFIG.audit
            else []
        ),
    output:
        csv=AUDIT.format(audited="{audited}", kind="csv"),
        page=AUDIT.format(audited="{audited}", kind="md"),
        pdf=FIGURE.format(figure="audit_{audited}", kind="pdf"),
        png=FIGURE.format(figure="audit_{audited}", kind="png"),
    log:
        LOG.format(rule="audit", name="{audited}"),
    benchmark:
        BENCHMARK.format(rule="audit", name="{audited}")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: page_slices.audit(CONFIG),
    script:
        "../../scripts/audit.py"


rule audit:
    input:
        expand(rules.audit_table.output, audited=[*PAPER_TABLES, *CONFIG.audit]),
