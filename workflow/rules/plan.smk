# Needs the data sets and no model; makes what a run will take, before anything is spent. Without declared output: made whenever it is
# asked for.
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
