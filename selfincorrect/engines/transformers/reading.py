"""Attention of texts that are read in one row, one after the other, so that no padding is computed.

Each text meets the beginning it follows, which was read before, and itself. It is a prompt, or a tree of
prompts and answers that begin alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from selfincorrect.engines.transformers.levels import Level, Pair
from selfincorrect.engines.transformers.trees import Tree


@dataclass
class Reading:
    """What attention has to know of texts in a row.

    These are the positions of their first tokens (`starts`), their `lengths`, and which text of `beginnings`,
    if any, is before each (`begins`). A text that is a tree is in `trees`.
    """

    starts: Sequence[int]
    lengths: Sequence[int]
    beginnings: Level | None
    begins: Sequence[int]
    trees: Mapping[int, Tree] = field(default_factory=dict)
    _masks: dict[Any, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = [slice(*each) for each in pairwise(accumulate(self.lengths, initial=0))]

    def positions(self) -> Tensor:
        """The positions of all tokens of the row."""
        return torch.cat([start + self._depths(text) for text, start in enumerate(self.starts)])

    def _depths(self, text: int) -> Tensor:
        """How many tokens of its text are before each token of a text."""
        tree = self.trees.get(text)
        return torch.tensor(tree.depths) if tree else torch.arange(self.lengths[text])

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None
    ) -> Tensor:
        """What `query` meets, [1, tokens, heads, size].

        `query`, `key` and `value` [1, heads, tokens, size] are those of the row.
        """
        result = torch.empty_like(query.transpose(1, 2))
        for text, (start, begin, own) in enumerate(zip(self.starts, self.begins, self.places, strict=True)):
            before = start if window is None else min(start, window - 1)
            keys, values = key[:, :, own], value[:, :, own]
            if before:
                earlier = self._last(layer, begin, before)
                keys, values = torch.cat([earlier[0], keys], 2), torch.cat([earlier[1], values], 2)
            mask = self._mask(query, text, before, window)
            result[:, own] = _attend(query[:, :, own], keys, values, mask, scale).transpose(1, 2)
        return result

    def _last(self, layer: int, text: int, columns: int) -> Pair:
        """The last keys and values of a beginning, [1, heads, columns, size]."""
        assert self.beginnings
        keys, values = self.beginnings.layers[layer]
        return keys[None, :, text, -columns:], values[None, :, text, -columns:]

    def _mask(self, query: Tensor, text: int, before: int, window: int | None) -> Tensor:
        """What is added to scores of a text, [count, before + count].

        It is −∞ where a key is later, of another sequence, or outside of the window.
        """
        count, tree = self.lengths[text], self.trees.get(text)
        key = text if tree else None, count, before, window
        if key not in self._masks:
            own = tree.seen() if tree else torch.ones(count, count, dtype=torch.bool).tril()
            seen = torch.cat([torch.ones(count, before, dtype=torch.bool), own], 1)
            if window is not None:
                depths = self._depths(text)
                seen &= depths[:, None] - torch.cat([torch.arange(-before, 0), depths]) < window
            self._masks[key] = query.new_zeros(seen.shape).masked_fill_(~seen.to(query.device), -torch.inf)
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
