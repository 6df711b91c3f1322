# Published tables: can their p-values come from their scores? Needs no model and no data.
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
        slice=lambda wildcards: slices.audit(CONFIG),
    script:
        "../../scripts/audit.py"


rule audit:
    input:
        expand(rules.audit_table.output, audited=[*PAPER_TABLES, *CONFIG.audit]),
