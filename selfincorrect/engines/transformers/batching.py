"""How many sequences fit into memory together."""

from typing import Any

import psutil
import torch

# The most sequences. On a CPU products are no faster beyond this (two cores, models of 135M and 270M); on
# GPUs it was not measured.
MOST = {"cpu": 192, "cuda": 1024}
# The share of the free memory that is for keys, values and logits. On a CPU other jobs use it too.
SHARE = {"cpu": 1 / 8, "cuda": 2 / 3}


def sequences_at_once(model: Any, tokens: int) -> int:
    """How many sequences are decoded at once, at least 1.

    They have at most `tokens` tokens, prompt and answer, beside what is shared.
    """
    text = model.config.get_text_config()
    kind = model.device.type
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    values = 2 * text.num_hidden_layers * heads * size * tokens * model.dtype.itemsize
    logits = 3 * 4 * text.vocab_size  # in float32, with room for sampling
    return max(1, min(MOST[kind], int(SHARE[kind] * _free(kind) / (values + logits))))


def _free(kind: str) -> int:
    """The free memory, in bytes."""
    if kind == "cuda":
        return torch.cuda.mem_get_info()[0]
    return int(psutil.virtual_memory().available)
