"""How many sequences fit into memory together, and what happens where fewer do."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import psutil
import torch

from selfincorrect.engines.transformers import failures
from selfincorrect.errors import UserError
from selfincorrect.jobs import stopping

log = logging.getLogger("selfincorrect")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

# The most sequences. On a CPU products are no faster beyond this (two cores, models of 135M and 270M); on
# GPUs it was not measured.
MOST = {"cpu": 192, "cuda": 1024}
# The share of the free memory that is for keys, values and logits. On a CPU other jobs use it too.
SHARE = {"cpu": 1 / 8, "cuda": 2 / 3}


def sequences_at_once(model: Any, tokens: int, places: int = 1) -> int:
    """How many sequences are read or decoded at once, at least 1.

    They have at most `tokens` tokens, prompt and answer, beside what is shared, and logits at so many
    `places`.
    """
    text = model.config.get_text_config()
    kind = model.device.type
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    values = 2 * text.num_hidden_layers * heads * size * tokens * model.dtype.itemsize
    logits = 3 * 4 * text.vocab_size * places  # in float32, with room for sampling
    return max(1, min(MOST[kind], int(SHARE[kind] * _free(kind) / (values + logits))))


def _free(kind: str) -> int:
    """The free memory, in bytes."""
    if kind == "cuda":
        return torch.cuda.mem_get_info()[0]
    return int(psutil.virtual_memory().available)


def finished(
    waiting: Sequence[Item],
    size: int,
    run: Callable[[Sequence[Item], int], Iterator[list[tuple[int, Answer]]]],
    name: str,
    tokens: Callable[[Item], int],
) -> Iterator[list[tuple[Item, Answer]]]:
    """What `run` answers to the items that wait, with numbers of theirs, at most `size` at a time.

    Where memory runs out it goes on with half as many. Raises UserError if one does not fit; `tokens` says
    how long that is.
    """
    while waiting and not stopping.requested():
        done: set[int] = set()
        try:
            for answers in run(waiting, size):
                done |= {index for index, _ in answers}
                yield [(waiting[index], answer) for index, answer in answers]
        except (RuntimeError, MemoryError) as error:
            if not failures.out_of_memory(error):
                raise
            if size == 1:
                raise UserError(
                    f"{name} runs out of memory on one sequence of {tokens(waiting[0])} tokens. "
                    "Use a larger GPU, several (device: auto), `dtype: bfloat16`, or a smaller model."
                ) from error
            size = max(1, min(size, len(waiting)) // 2)
            log.warning("out of memory: going on with %d sequences at a time", size)
        # This is outside of `except`, whose error holds on to the memory.
        waiting = [item for index, item in enumerate(waiting) if index not in done]
        if waiting:
            torch.cuda.empty_cache()
