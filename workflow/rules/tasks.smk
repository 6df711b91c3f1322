# Needs a network or a file; makes the questions of a task, in one schema.
localrules:
    prepare_dataset,


rule prepare_dataset:
    input:
        local_data,
    output:
        DATASET,
    log:
        LOG.format(rule="prepare_dataset", name="{task}"),
    benchmark:
        BENCHMARK.format(rule="prepare_dataset", name="{task}")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.prepare_dataset(CONFIG, wildcards.task),
    script:
        "../../scripts/prepare_dataset.py"
