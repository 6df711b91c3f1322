# The pool: candidates by shard, brought together and graded.
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


# What judges say of each candidate, for tasks that have judges.
rule judge:
    input:
        judges=judges,
        candidates=CANDIDATES,
        dataset=DATASET,
    output:
        JUDGEMENTS,
    log:
        LOG.format(rule="judge", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="judge", name="{model}/{task}")
    wildcard_constraints:
        task=JUDGED,
    conda:
        "../../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=lambda wildcards: gpus(*judging_models(wildcards)),
        mem_mb=memory(judging_models),
        runtime=minutes(judging_models, lambda wildcards: 1.5 * CONFIG.sampling.n),
    params:
        slice=lambda wildcards: slices.judge(CONFIG, wildcards.task),
    script:
        "../../scripts/judge.py"


rule grade:
    input:
        unpack(judged_where_needed),
        candidates=CANDIDATES,
        dataset=DATASET,
    output:
        GRADES,
    log:
        LOG.format(rule="grade", name="{model}/{task}"),
    benchmark:
        BENCHMARK.format(rule="grade", name="{model}/{task}")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.grade(CONFIG, wildcards.model, wildcards.task),
    script:
        "../../scripts/grade.py"
