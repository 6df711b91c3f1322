# Needs a prepared model and data set; makes the pool: candidates by shard, then brought together.
rule generate:
    input:
        model=MANIFEST,
        dataset=DATASET,
    output:
        SHARD,
    log:
        LOG.format(rule="generate", name="{model}/{task}/{shard}"),
    benchmark:
        BENCHMARK.format(rule="generate", name="{model}/{task}/{shard}")
    wildcard_constraints:
        model=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=lambda wildcards: gpus(wildcards.model),
        mem_mb=memory(own_model),
        runtime=minutes(
            own_model,
            lambda wildcards: CONFIG.sampling.n,
            lambda wildcards: CONFIG.tasks[wildcards.task].shards,
        ),
    params:
        slice=lambda wildcards: slices.generate(CONFIG, wildcards.model, wildcards.task),
    script:
        "../../scripts/generate.py"


rule collect:
    input:
        lambda wildcards: expand(
            SHARD, shard=range(CONFIG.tasks[wildcards.task].shards), allow_missing=True
        ),
    output:
        CANDIDATES,
    log:
        LOG.format(rule="collect", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="collect", name="{model}/{task}")
    wildcard_constraints:
        model=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    script:
        "../../scripts/collect.py"
