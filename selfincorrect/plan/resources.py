"""What a job asks of a machine: memory and time, from the size of its model and the answers it may have to ask for.

Rough and on the safe side; a job that runs out is submitted again with more (`attempt` counts from 1).
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from selfincorrect.config.schema import Config
from selfincorrect.config.slices import task_settings
from selfincorrect.discriminate.selectors.registry import asking, get_selector
from selfincorrect.engines.registry import engine_kind
from selfincorrect.paper import published

PARAMETERS = 8e9  # of a model whose configuration does not say
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
ITEMS = 200  # of a task that is none of the paper's
TOKENS_IN = 1500  # of a prompt
SMALL = 3000  # MiB of a job beside its weights
START = 20  # minutes until a large model is loaded


@cache
def rates() -> dict[str, Any]:
    """Operations a second for reading and decoding, by kind of device."""
    known: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("rates.yaml").read_text(encoding="utf-8"))
    return known


def _size(config: Config, model: str) -> float:
    return config.weighted[model].parameters or PARAMETERS


def memory(config: Config, models: list[str], attempt: int = 1) -> int:
    """MiB of main memory for a job that runs one of `models` at a time: its weights once more on the way to a device."""
    largest = 0.0
    for model in models:
        entry = config.weighted[model]
        if engine_kind(entry.engine).in_process:
            largest = max(largest, _size(config, model) * BYTES[entry.dtype] / 2**20)
    return round((1.2 * largest + SMALL) * attempt)


def minutes(
    config: Config, models: list[str], task: str, answers_each: float, shards: int = 1, attempt: int = 1
) -> int:
    """Wall time for `answers_each` answers to every item of a task, by each of `models` in turn, split into `shards` jobs."""
    settings, known = task_settings(config, task), published.items()
    items = min(settings["limit"] or known.get(task, ITEMS), known.get(task, 10**9))
    answers = items * answers_each / shards
    rate, seconds = rates()["cuda" if config.run.device == "cuda" else "cpu"], 0.0
    for model in models:
        entry = config.weighted[model]
        if engine_kind(entry.engine).served:
            seconds += 10 * answers / (entry.server.concurrency if entry.server else 1)
        elif engine_kind(entry.engine).in_process:
            work = 2 * _size(config, model)
            tokens_out = max(settings["answer_tokens"], settings["choice_tokens"])
            seconds += answers * work * (TOKENS_IN / float(rate["reading"]) + tokens_out / float(rate["decoding"]))
    return round((START + seconds / 60) * attempt)


def choices_each(config: Config, model: str, task: str) -> int:
    """Answers that discrimination asks for about each item."""
    names = [variant.selector for variant in config.variants_of(task, model).values()]
    return sum(asking(name).calls(k) for name in names if get_selector(name).asks for k in config.k)
