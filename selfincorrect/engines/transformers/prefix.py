"""Read prompts into key-value caches, each shared beginning once.

Few-shot prompts of a task differ in their last part only. Their common tokens are run once; each prompt then continues
from a copy of that cache. For decoding, the caches are put side by side, aligned at their ends: columns that a shorter
prompt lacks lie on the left and are masked, so sliding windows, which count columns, still see what they should.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer


def supported(model: Any) -> bool:
    """Whether the model keeps plain keys and values for every token, so that caches can be copied and joined."""
    if model.config.is_encoder_decoder:
        return False
    layers = DynamicCache(config=model.config.get_text_config()).layers
    plain = bool(layers) and all(type(x) in (DynamicLayer, DynamicSlidingWindowLayer) for x in layers)
    return plain and type(model)._supports_default_dynamic_cache()


def common_length(reference: Sequence[int], prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common beginning, leaving at least one token of each prompt."""
    length = min([len(reference), *(len(prompt) - 1 for prompt in prompts)])
    for prompt in prompts:
        while list(reference[:length]) != list(prompt[:length]):
            length -= 1
    return length


def read(model: Any, tokens: Sequence[int], past: DynamicCache | None = None) -> DynamicCache:
    """The cache after `tokens`, continuing from a copy of `past`."""
    cache = (
        DynamicCache(config=model.config.get_text_config()) if past is None else copy.deepcopy(past)
    )
    if tokens:
        model(
            torch.tensor([list(tokens)], device=model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
    return cache


def join(model: Any, caches: Sequence[DynamicCache], rows: Sequence[int]) -> DynamicCache:
    """One cache whose row r is `caches[rows[r]]`, all aligned at their ends and filled with zeros on the left."""
    joined = DynamicCache(config=model.config.get_text_config())
    for index, layer in enumerate(joined.layers):
        parts = [cache.layers[index] for cache in caches]
        width = max(part.keys.shape[-2] for part in parts)
        keys = torch.cat([pad(x.keys, (0, 0, width - x.keys.shape[-2], 0)) for x in parts])
        values = torch.cat([pad(x.values, (0, 0, width - x.values.shape[-2], 0)) for x in parts])
        layer.lazy_initialization(keys, values)
        places = torch.tensor(rows, device=keys.device)
        layer.keys, layer.values = keys[places], values[places]
        if isinstance(layer, DynamicSlidingWindowLayer):
            layer.cumulative_length = max(part.get_seq_length() for part in parts)
    return joined
