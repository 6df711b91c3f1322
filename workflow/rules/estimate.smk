# What a run will take, before anything is spent: needs the data sets and no model.
localrules:
    estimate,


rule estimate:
    input:
        datasets=ALL_DATASETS,
    output:
        ESTIMATE,
    log:
        LOG.format(rule="estimate", name="estimate"),
    benchmark:
        BENCHMARK.format(rule="estimate", name="estimate")
    conda:
        "../../envs/environment.yaml"
    params:
        slice=slices.estimate(CONFIG),
    script:
        "../../scripts/estimate.py"
