# Needs a pool, its model, and grades where a variant asks for them; makes the choices for each k, all variants together: the model is
# loaded once.
rule discriminate:
    input:
        unpack(graded_where_needed),
        model=MANIFEST,
        dataset=DATASET,
        candidates=CANDIDATES,
    output:
        expand(CHOICES, k=CONFIG.k, allow_missing=True),
    log:
        LOG.format(rule="discriminate", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="discriminate", name="{model}/{task}")
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
            lambda wildcards: needs.choices_each(
                CONFIG, wildcards.model, wildcards.task
            ),
        ),
    params:
        slice=lambda wildcards: slices.discriminate(
            CONFIG, wildcards.model, wildcards.task
        ),
    script:
        "../../scripts/discriminate.py"
