"""What a job asks of a machine: memory and time, from the size of its model and the most answers it asks for.

Both are rough and on the safe side; a job that runs out is submitted again with more (`attempt` counts from
1).
"""

from selfincorrect.config.schema import Config
from selfincorrect.config.task_settings import task_settings
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.engines.registry import engine_kind
from selfincorrect.paper import published
from selfincorrect.plan import rates

ITEMS = 200  # items of a task that is none of the paper's
TOKENS_IN = 1500  # tokens of a prompt
SMALL = 3000  # MiB that a job takes beside its weights
START = 20  # minutes until a large model is loaded


def memory(config: Config, models: list[str], attempt: int = 1) -> int:
    """The main memory, in MiB, of a job that runs one of `models` at a time.

    Weights are there once even if a device computes: they go through main memory on their way.
    """
    largest = max((rates.weight_bytes(config.weighted[model]) for model in models), default=0.0) / 2**20
    return round((1.2 * largest + SMALL) * attempt)


def minutes(
    config: Config, models: list[str], task: str, answers_each: float, shards: int = 1, attempt: int = 1
) -> int:
    """The wall time, in minutes, of one of `shards` jobs.

    Together they ask each of `models` in turn for `answers_each` answers to every item of a task.
    """
    settings, known = task_settings(config, task), published.items()
    items = min(settings.limit or known.get(task, ITEMS), known.get(task, 10**9))
    answers = items * answers_each / shards
    rate = rates.assumed(config.run.device == "cuda")
    longest = max(settings.answer_tokens, settings.choice_tokens)
    wanted = [config.weighted[model] for model in models]
    longest += max((entry.reasoning.budget or 0 for entry in wanted if entry.reasoning), default=0)
    entries = [entry for entry in wanted if engine_kind(entry.engine).source != "file"]
    seconds = sum(
        rates.answering_seconds(entry, answers, answers * TOKENS_IN, answers * longest, rate)
        for entry in entries
        if engine_kind(entry.engine).source != "file"
    )
    return round((START + seconds / 60) * attempt)


def ratings_each(config: Config, task: str) -> float:
    """The answers that each judge of a task gives to an item, half as many again for want of a rating."""
    return 1.5 * config.sampling.n * config.tasks[task].ratings


def choices_each(config: Config, model: str, task: str, discriminator: str) -> int:
    """The number of answers that `discriminator` is asked for about each item of the pool of `model`."""
    variants = config.asked(task, model, discriminator).values()
    return sum(asking(variant).calls(variant, k) for variant in variants for k in config.k)
