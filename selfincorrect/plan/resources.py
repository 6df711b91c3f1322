"""What a job asks of a machine: memory and time, from the size of its model and the answers it may have to ask for.

Rough and on the safe side; a job that runs out is submitted again with more (`attempt` counts from 1).
"""

from selfincorrect.config.schema import Config
from selfincorrect.config.slices import task_settings
from selfincorrect.discriminate.selectors.registry import asking, get_selector
from selfincorrect.engines.registry import engine_kind
from selfincorrect.paper import published
from selfincorrect.plan import rates

ITEMS = 200  # of a task that is none of the paper's
TOKENS_IN = 1500  # of a prompt
SMALL = 3000  # MiB of a job beside its weights
START = 20  # minutes until a large model is loaded


def memory(config: Config, models: list[str], attempt: int = 1) -> int:
    """MiB of main memory for a job that runs one of `models` at a time: its weights once more on the way to a device."""
    largest = max((rates.weight_bytes(config.weighted[model]) for model in models), default=0.0) / 2**20
    return round((1.2 * largest + SMALL) * attempt)


def minutes(
    config: Config, models: list[str], task: str, answers_each: float, shards: int = 1, attempt: int = 1
) -> int:
    """Wall time for `answers_each` answers to every item of a task, by each of `models` in turn, split into `shards` jobs."""
    settings, known = task_settings(config, task), published.items()
    items = min(settings.limit or known.get(task, ITEMS), known.get(task, 10**9))
    answers = items * answers_each / shards
    rate = rates.assumed(config.run.device == "cuda")
    longest = max(settings.answer_tokens, settings.choice_tokens)
    entries = [
        entry
        for entry in map(config.weighted.__getitem__, models)
        if engine_kind(entry.engine).source != "file"
    ]
    seconds = sum(
        rates.answering_seconds(entry, answers, answers * TOKENS_IN, answers * longest, rate)
        for entry in entries
    )
    return round((START + seconds / 60) * attempt)


def choices_each(config: Config, model: str, task: str) -> int:
    """Answers that discrimination asks for about each item."""
    names = [variant.selector for variant in config.variants_of(task, model).values()]
    return sum(asking(name).calls(k) for name in names if get_selector(name).asks for k in config.k)
