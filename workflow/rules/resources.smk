# What jobs that run a model ask of a machine. Locally only `gpu` counts; a cluster's profile passes all of it on.
def gpus(*models):
    """GPUs that a job of these models asks for, the most that one of them needs."""
    if CONFIG.run.device != "cuda":
        return 0
    return max(CONFIG.weighted[model].gpus for model in models)


def memory(models):
    """MiB for a job of the models that `models(wildcards)` names, more with each attempt."""
    return lambda wildcards, attempt: needs.memory(CONFIG, models(wildcards), attempt)


def minutes(models, answers, shards=lambda wildcards: 1):
    """Minutes for a job that asks its models for `answers(wildcards)` answers to each item, more with each attempt."""
    return lambda wildcards, attempt: needs.minutes(
        CONFIG,
        models(wildcards),
        wildcards.task,
        answers(wildcards),
        shards(wildcards),
        attempt,
    )


def own_model(wildcards):
    return [wildcards.model]


def asked_model(wildcards):
    return [wildcards.discriminator]


def judging_models(wildcards):
    return list(CONFIG.tasks[wildcards.task].raters.values())


# Threads of a job that runs a model. `--dag`, `--rulegraph` and `--summary` are asked for without cores.
THREADS = CONFIG.run.threads or workflow.global_resources["_cores"].value or 1
