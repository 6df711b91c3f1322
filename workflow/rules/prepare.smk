# Models and data sets, once; the only rules that need a network.
localrules:
    prepare_model,
    prepare_dataset,


rule prepare_model:
    input:
        local_model,
    output:
        MANIFEST,
    log:
        LOG.format(rule="prepare_model", name="{model}"),
    benchmark:
        BENCHMARK.format(rule="prepare_model", name="{model}")
    wildcard_constraints:
        model=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    params:
        slice=lambda wildcards: slices.prepare_model(CONFIG, wildcards.model),
    script:
        "../../scripts/prepare_model.py"


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
