# Needs a file of candidates from elsewhere; makes the pool, and a table of the choices that came with it.
rule import_pool:
    input:
        pool=pool_file,
        dataset=DATASET,
    output:
        candidates=CANDIDATES,
        given=GIVEN,
    log:
        LOG.format(rule="import_pool", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="import_pool", name="{model}/{task}")
    wildcard_constraints:
        model=POOLED,
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.import_pool(
            CONFIG, wildcards.model, wildcards.task
        ),
    script:
        "../../scripts/import_pool.py"
