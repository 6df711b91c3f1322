"""Attention in levels (shared-prefix or cascade attention): what sequences have in common is read, kept and met once.

Few-shot prompts of a task begin alike, and the n samples of a question share all of its prompt. So there are three levels: the
beginnings of prompts, the rest of each prompt, and each sequence's own tokens. At each level all queries that share a text
meet its keys in one matrix product per head. Nothing shared is copied per sequence, and own tokens are written in place. The
levels go through one softmax, so the result is that of ordinary attention up to rounding.

Positions tell everything about masks: a text is aligned at the right end of its columns, so its columns have positions too;
those before its start are padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"
Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values


@dataclass
class Level:
    """Texts of one level.

    `layers` has keys and values of each layer, [texts, heads, columns, size]; layers with a sliding window may keep the last
    columns only. `start` and `end` [texts] are the positions of a text's first token and after its last.
    """

    start: torch.Tensor
    end: torch.Tensor
    layers: list[Pair] = field(default_factory=list)


class Shared:
    """A level and the text of each sequence in it, `owner`."""

    def __init__(self, level: Level, owner: Sequence[int]) -> None:
        self.level = level
        members: list[list[int]] = [[] for _ in level.start]
        ranks = []
        for sequence, text in enumerate(owner):
            ranks.append(len(members[text]))
            members[text].append(sequence)
        most = max(map(len, members))
        place = [text * most + rank for text, rank in zip(owner, ranks, strict=True)]
        self.in_order = place == list(range(len(members) * most))
        filled = [(each or [0]) + (each or [0])[:1] * (most - max(1, len(each))) for each in members]
        self.members = torch.tensor(filled, device=level.start.device)
        self.place = torch.tensor(place, device=level.start.device)
        self.owner = torch.tensor(list(owner), device=level.start.device)

    def by_text(self, x: torch.Tensor) -> torch.Tensor:
        """[sequences, …] as [texts, sequences of a text, …]; places without a sequence repeat another one."""
        shape = (*self.members.shape, *x.shape[1:])
        return x.reshape(shape) if self.in_order else x[self.members.flatten()].view(shape)

    def by_sequence(self, x: torch.Tensor) -> torch.Tensor:
        """The way back."""
        flat = x.reshape(-1, *x.shape[2:])
        return flat if self.in_order else flat[self.place]


@dataclass
class Step:
    """What attention has to know in one pass: the levels, the sequences' own one last, and the positions [batch, count]."""

    levels: list[Shared]
    positions: torch.Tensor
    _hidden: dict[Any, torch.Tensor | None] = field(default_factory=dict)

    def bias(self, index: int, columns: int, window: int | None) -> torch.Tensor | None:
        """What is added to scores, [sequences, count, columns]: −∞ where a key is not seen; None if all are."""
        key = index, columns, window
        if key not in self._hidden:
            self._hidden[key] = self._bias(self.levels[index], columns, window)
        return self._hidden[key]

    def _bias(self, shared: Shared, columns: int, window: int | None) -> torch.Tensor | None:
        query = self.positions[:, :, None]
        start, end = (x[shared.owner][:, None, None] for x in (shared.level.start, shared.level.end))
        key = end - columns + torch.arange(columns, device=query.device)
        seen = (key >= start) & (key <= query)
        seen |= key == query  # padding sees itself, since a softmax over nothing is no number
        if window is not None:
            seen &= query - key < window
        if seen.all():
            return None
        return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -torch.inf)


class Own(DynamicLayer):
    """Keys and values of the sequences' own tokens, in space [batch, heads, columns, size] at columns `at` [batch].

    Without space, the first tokens make it.
    """

    is_sliding = False

    def __init__(self, space: Pair | None = None, at: torch.Tensor | None = None, columns: int = 0) -> None:
        super().__init__()
        self.space, self.at, self.columns, self.is_initialized = space, at, columns, True

    def update(self, keys: torch.Tensor, values: torch.Tensor, *args: Any, **kwargs: Any) -> Pair:
        if self.space is None:
            self.space = keys, values
            return self.space
        rows = torch.arange(len(keys), device=keys.device)
        for space, states in zip(self.space, (keys, values), strict=True):
            space[rows, :, self.at] = states[:, :, 0]
        return self.space[0][:, :, : self.columns], self.space[1][:, :, : self.columns]

    def get_seq_length(self) -> int:
        return 0  # positions are given


def _attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    scaling: float | None = None, sliding_window: int | None = None, cascade: Step | None = None, **others: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """transformers' attention function: `query` [batch, heads, count, size], own `key`, `value` [batch, groups, columns, size]."""
    if cascade is None:
        if sliding_window is not None:
            others["sliding_window"] = sliding_window
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    pairs = [shared.level.layers[module.layer_idx] for shared in cascade.levels[:-1]] + [(key, value)]
    biases = [cascade.bias(index, keys.shape[2], sliding_window) for index, (keys, _) in enumerate(pairs)]
    batch, heads, count, size = query.shape
    if count > 1:
        return _attend_whole(module, query, cascade.levels, pairs, biases, scaling)
    groups = key.shape[1]
    scaled = query * (size**-0.5 if scaling is None else scaling)
    scaled = scaled.reshape(batch, groups, heads // groups, size)
    parts = [
        _attend(shared, pair, scaled, bias) for shared, pair, bias in zip(cascade.levels, pairs, biases, strict=True)
    ]
    largest = reduce(torch.maximum, (each[1] for each in parts))
    factors = [(each[1] - largest).exp_() for each in parts]
    total = sum(each[2] * factor for each, factor in zip(parts, factors, strict=True))
    result = sum(each[0] * factor for each, factor in zip(parts, factors, strict=True)) / total
    return result.to(query.dtype).reshape(batch, 1, heads, -1), None


def _attend(
    shared: Shared, pair: Pair, scaled: torch.Tensor, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The part of one level for `scaled` queries [batch, groups, repeats, size], one of each sequence.

    Returns sums of values weighted by exp(score − largest), [batch, groups, repeats, size], the largest scores and the sums
    of weights, [batch, groups, repeats, 1].
    """
    keys, values = pair
    by_text = shared.by_text(scaled).transpose(1, 2)
    texts, groups, most, repeats, size = by_text.shape
    scores = torch.matmul(by_text.reshape(texts, groups, -1, size), keys.transpose(2, 3)).float()
    if bias is not None:
        scores.view(texts, groups, most, repeats, -1).add_(shared.by_text(bias)[:, None])
    # A text that a query does not see at all has weight 0, not NaN.
    largest = scores.amax(-1, keepdim=True).clamp_(min=torch.finfo(scores.dtype).min)
    weights = scores.sub_(largest).exp_()
    total = weights.sum(-1, keepdim=True)
    result = torch.matmul(weights.to(values.dtype), values)
    return tuple(
        shared.by_sequence(x.view(texts, groups, most, repeats, -1).transpose(1, 2)) for x in (result, largest, total)
    )


def _attend_whole(
    module: Any, query: torch.Tensor, levels: Sequence[Shared], pairs: Sequence[Pair],
    biases: Sequence[torch.Tensor | None], scaling: float | None,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Many queries of each sequence, as in reading prompts: every one gets a copy of its texts for the fused attention.

    A copy for one layer is small beside the scores, which are not written down then.
    """
    keys, values = (
        torch.cat([pair[i][shared.owner] for shared, pair in zip(levels, pairs, strict=True)], dim=2) for i in (0, 1)
    )
    zeros = query.new_zeros(query.shape[0], query.shape[2], 1)
    bias = torch.cat(
        [
            zeros.expand(-1, -1, pair[0].shape[2]) if bias is None else bias.to(query.dtype)
            for pair, bias in zip(pairs, biases, strict=True)
        ],
        dim=-1,
    )
    result, _ = sdpa_attention_forward(module, query, keys, values, bias[:, None], scaling=scaling)
    return result, None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
