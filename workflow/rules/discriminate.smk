# The choice among k candidates, in all variants of a target together: the model is loaded once.
rule discriminate:
    input:
        unpack(graded_where_needed),
        model=MANIFEST,
        dataset=DATASET,
        candidates=CANDIDATES,
    output:
        CHOICES,
    log:
        LOG.format(rule="discriminate", name="{model}/{task}/k{k}"),
    wildcard_constraints:
        model=WEIGHTED,
    conda:
        "../../envs/environment.yaml"
    threads: CONFIG.run.threads or workflow.cores
    resources:
        gpu=int(CONFIG.run.device == "cuda"),
    params:
        slice=lambda wildcards: slices.discriminate(
            CONFIG, wildcards.model, wildcards.task
        ),
    script:
        "../../scripts/discriminate.py"
