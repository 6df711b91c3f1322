# Needs a pool, a model that is asked about it, and grades where a variant asks for them; makes what that model chooses about a shard of
# questions, in every variant and for each k: it is loaded once. Then all choices of a pool are brought together, with those of rules.
rule discriminate:
    input:
        unpack(graded_before_asking),
        model=ASKED_MANIFEST,
        dataset=DATASET,
        candidates=CANDIDATES,
    output:
        CHOICES_SHARD,
    log:
        LOG.format(rule="discriminate", name="{model}/{task}/{discriminator}/{shard}"),
    benchmark:
        BENCHMARK.format(
            rule="discriminate", name="{model}/{task}/{discriminator}/{shard}"
        )
    wildcard_constraints:
        discriminator=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=lambda wildcards: gpus(wildcards.discriminator),
        mem_mb=memory(asked_model),
        runtime=minutes(
            asked_model,
            lambda wildcards: needs.choices_each(
                CONFIG, wildcards.model, wildcards.task, wildcards.discriminator
            ),
            lambda wildcards: CONFIG.tasks[wildcards.task].shards,
        ),
    params:
        slice=lambda wildcards: slices.discriminate(
            CONFIG, wildcards.model, wildcards.task, wildcards.discriminator
        ),
    script:
        "../../scripts/discriminate.py"


rule select:
    input:
        unpack(graded_before_selecting),
        asked=asked_about_pool,
        dataset=DATASET,
        candidates=CANDIDATES,
    output:
        expand(CHOICES, k=CONFIG.k, allow_missing=True),
    log:
        LOG.format(rule="select", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="select", name="{model}/{task}")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.select(CONFIG, wildcards.model, wildcards.task),
    script:
        "../../scripts/select.py"
