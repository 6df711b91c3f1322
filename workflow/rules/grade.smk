# Needs a pool, and prepared judges where a task has some; makes what judges say and a grade for every candidate.
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
        runtime=minutes(
            judging_models,
            lambda wildcards: needs.ratings_each(CONFIG, wildcards.task),
        ),
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
