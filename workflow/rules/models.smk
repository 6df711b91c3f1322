# Needs a network, a folder or a file; makes a model's manifest, and its weights where they lie elsewhere in another form.
localrules:
    prepare_model,


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
