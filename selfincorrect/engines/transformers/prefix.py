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
    cache = DynamicCache(config=model.config.get_text_config()) if past is None else copy.deepcopy(past)
    if tokens:
        model(
            torch.tensor([list(tokens)], device=model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
    return cache


class _RoomyLayer(DynamicLayer):
    """A layer that writes into space set aside, where transformers' own copies the whole cache at each step.

    A sliding layer keeps what it started with, too: the mask hides what lies outside the window. `offset` is the number
    of columns that had already left the window at the start.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, more: int, sliding: bool, offset: int) -> None:
        """`keys` and `values` [batch, heads, length, size] so far, and space for `more` tokens."""
        super().__init__()
        self.lazy_initialization(keys, values)
        self.is_sliding, self.offset = sliding, offset
        self._space = pad(keys, (0, 0, 0, more)), pad(values, (0, 0, 0, more))
        self._show(keys.shape[-2])

    def _show(self, length: int) -> None:
        self.keys, self.values = (space[:, :, :length] for space in self._space)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start, count = self.keys.shape[-2], key_states.shape[-2]
        for space, states in zip(self._space, (key_states, value_states), strict=True):
            space[:, :, start : start + count] = states
        self._show(start + count)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.offset + int(self.keys.shape[-2])

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return int(self.keys.shape[-2]) + query_length, self.offset

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        length = self.keys.shape[-2]
        self._space = self._space[0][indices], self._space[1][indices]
        self._show(length)


def join(model: Any, caches: Sequence[DynamicCache], rows: Sequence[int], steps: int) -> DynamicCache:
    """One cache whose row r is `caches[rows[r]]`, with space for `steps` tokens.

    All are aligned at their ends and filled with zeros on the left.
    """
    joined = DynamicCache(config=model.config.get_text_config())
    for index in range(len(joined.layers)):
        parts = [cache.layers[index] for cache in caches]
        width = max(part.keys.shape[-2] for part in parts)
        places = torch.tensor(rows, device=parts[0].keys.device)
        keys, values = (
            torch.cat([pad(each, (0, 0, width - each.shape[-2], 0)) for each in tensors])[places]
            for tensors in ([part.keys for part in parts], [part.values for part in parts])
        )
        sliding = isinstance(parts[0], DynamicSlidingWindowLayer)
        offset = max(part.get_seq_length() for part in parts) - width
        joined.layers[index] = _RoomyLayer(keys, values, steps, sliding, offset)
    return joined
