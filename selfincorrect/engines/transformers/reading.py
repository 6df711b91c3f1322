"""Attention of prompts that are read in one row, one after the other, so that no padding is computed.

Each prompt meets the beginning it follows, which was read before, and itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from selfincorrect.engines.transformers.levels import Level, Pair


@dataclass
class Reading:
    """What attention has to know of prompts in a row.

    These are the positions of their first tokens (`starts`), their `lengths`, and which text of `beginnings`,
    if any, is before each (`begins`).
    """

    starts: Sequence[int]
    lengths: Sequence[int]
    beginnings: Level | None
    begins: Sequence[int]
    _masks: dict[tuple[int, int, int | None], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = [slice(*each) for each in pairwise(accumulate(self.lengths, initial=0))]

    def positions(self) -> Tensor:
        """The positions of all tokens of the row."""
        each = zip(self.starts, self.lengths, strict=True)
        return torch.cat([torch.arange(start, start + length) for start, length in each])

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None
    ) -> Tensor:
        """What `query` meets, [1, tokens, heads, size].

        `query`, `key` and `value` [1, heads, tokens, size] are those of the row.
        """
        result = torch.empty_like(query.transpose(1, 2))
        prompts = zip(self.starts, self.lengths, self.begins, self.places, strict=True)
        for start, length, text, own in prompts:
            before = start if window is None else min(start, window - 1)
            keys, values = key[:, :, own], value[:, :, own]
            if before:
                earlier = self._last(layer, text, before)
                keys, values = torch.cat([earlier[0], keys], 2), torch.cat([earlier[1], values], 2)
            mask = self._mask(query, length, before, window)
            result[:, own] = _attend(query[:, :, own], keys, values, mask, scale).transpose(1, 2)
        return result

    def _last(self, layer: int, text: int, columns: int) -> Pair:
        """The last keys and values of a beginning, [1, heads, columns, size]."""
        assert self.beginnings
        keys, values = self.beginnings.layers[layer]
        return keys[None, :, text, -columns:], values[None, :, text, -columns:]

    def _mask(self, query: Tensor, count: int, before: int, window: int | None) -> Tensor:
        """What is added to scores, [count, before + count].

        It is −∞ where a key is later, or outside of the window.
        """
        key = count, before, window
        if key not in self._masks:
            seen = torch.ones(count, before + count, dtype=torch.bool, device=query.device).tril(before)
            if window is not None:
                seen = seen.triu(before - window + 1)
            self._masks[key] = query.new_zeros(seen.shape).masked_fill_(~seen, -torch.inf)
        return self._masks[key]


def _attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Attention of one prompt; several heads of `query` share those of `keys` and `values`."""
    fused = query.device.type == "cpu" and query.dtype is torch.float32
    if not fused:
        keys, values = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (keys, values))
    if query.device.type == "cpu" and not fused:
        # With 16 bits this takes half to two thirds of the fused kernel's time (AVX512-BF16, 300 to 900
        # keys).
        scores = torch.baddbmm(mask, query[0], keys[0].transpose(1, 2), alpha=scale)
        return torch.bmm(scores.softmax(-1), values[0])[None]
    # GPUs have no fused attention with a mask for shared heads. A query with other strides would not be
    # fused.
    return scaled_dot_product_attention(query.contiguous(), keys, values, mask, scale=scale, enable_gqa=fused)
