# Needs a pool and its model; makes answers refined over rounds, the preference between earlier and refined ones, and both measured.
rule refine:
    input:
        model=MANIFEST,
        dataset=DATASET,
        candidates=CANDIDATES,
    output:
        ROUNDS,
        PREFERENCES,
        REFINEMENT,
    log:
        LOG.format(rule="refine", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="refine", name="{model}/{task}")
    wildcard_constraints:
        model=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=lambda wildcards: gpus(wildcards.model),
        mem_mb=memory(own_model),
        runtime=minutes(own_model, lambda wildcards: 4 * CONFIG.refinement.rounds),
    params:
        slice=lambda wildcards: slices.refine(CONFIG, wildcards.model, wildcards.task),
    script:
        "../../scripts/refine.py"
