# What a run will take, before anything is spent: needs the data sets and no model. Without declared output, it is made
# whenever it is asked for.
localrules:
    estimate,


rule estimate:
    input:
        datasets=all_datasets,
    log:
        LOG.format(rule="estimate", name="estimate"),
    benchmark:
        BENCHMARK.format(rule="estimate", name="estimate")
    conda:
        "../../envs/environment.yaml"
    params:
        path=ESTIMATE,
    script:
        "../../scripts/estimate.py"
