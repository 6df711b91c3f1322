# Needs a file of candidates from elsewhere; makes the pool and, in the place of a model's choices, those of rules that need none.
rule import_pool:
    input:
        pool=pool_file,
        dataset=DATASET,
    output:
        CANDIDATES,
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


rule select:
    input:
        pool=pool_file,
        dataset=DATASET,
        candidates=CANDIDATES,
        grades=GRADES,
    output:
        CHOICES,
    log:
        LOG.format(rule="select", name="{model}/{task}/k{k}"),
    benchmark:
        BENCHMARK.format(rule="select", name="{model}/{task}/k{k}")
    wildcard_constraints:
        model=POOLED,
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.select(CONFIG, wildcards.model, wildcards.task),
    script:
        "../../scripts/select.py"
