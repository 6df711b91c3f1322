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
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"
Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values


@dataclass
class Level:
    """Texts of one level.

    `layers` has keys and values of each layer, [heads, texts, columns, size]; layers with a sliding window may keep the last
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
        # Places without a sequence repeat another one.
        filled = [(each or [0]) + (each or [0])[:1] * (most - max(1, len(each))) for each in members]
        self.members = torch.tensor(filled, device=level.start.device).flatten()
        self.place = torch.tensor(place, device=level.start.device)
        self.owner = torch.tensor(list(owner), device=level.start.device)

    def times(self, rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """Rows of each sequence times the matrix of its text: one product per head and text.

        `rows` [heads, sequences, rows, a], `matrices` [heads, texts, a, b]; returns [heads, sequences, rows, b].
        """
        heads, texts, inner, outer = matrices.shape
        by_text = rows if self.in_order else rows[:, self.members]
        product = torch.matmul(by_text.reshape(heads, texts, -1, inner), matrices).view(heads, -1, rows.shape[2], outer)
        return product if self.in_order else product[:, self.place]


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
    """Keys and values of the sequences' own tokens, in space [heads, batch, columns, size]; the next ones go to column `at`.

    Attention gets all of the space, since products of parts of it would copy them first (bfloat16 on a CPU). Without
    space, the first tokens make it.
    """

    is_sliding = False

    def __init__(self, space: Pair | None = None, at: int = 0) -> None:
        super().__init__()
        self.space, self.at, self.is_initialized = space, at, True

    def update(self, keys: torch.Tensor, values: torch.Tensor, *args: Any, **kwargs: Any) -> Pair:
        new = keys.transpose(0, 1), values.transpose(0, 1)
        if self.space is None:
            self.space = new[0].contiguous(), new[1].contiguous()
        else:
            for space, states in zip(self.space, new, strict=True):
                space[:, :, self.at] = states[:, :, 0]
        return self.space

    def get_seq_length(self) -> int:
        return 0  # positions are given


def _attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    scaling: float | None = None, sliding_window: int | None = None, cascade: Step | None = None, **others: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """transformers' attention function: `query` [batch, heads, count, size]; keys and values of own tokens as in a level."""
    if cascade is None:
        if sliding_window is not None:
            others["sliding_window"] = sliding_window
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    pairs = [shared.level.layers[module.layer_idx] for shared in cascade.levels[:-1]] + [(key, value)]
    biases = [cascade.bias(index, keys.shape[2], sliding_window) for index, (keys, _) in enumerate(pairs)]
    if query.shape[2] > 1:
        return _attend_whole(query, cascade.levels, pairs, biases, scaling), None
    scaled = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    return _attend(scaled, cascade.levels, pairs, biases), None


def _attend(
    scaled: torch.Tensor, levels: Sequence[Shared], pairs: Sequence[Pair], biases: Sequence[torch.Tensor | None]
) -> torch.Tensor:
    """One query of each sequence, `scaled` [batch, heads, 1, size], meets all levels. Returns [batch, 1, heads, size]."""
    batch, heads, _, size = scaled.shape
    groups = len(pairs[0][0])
    rows = scaled.reshape(batch, groups, heads // groups, size).transpose(0, 1).contiguous()
    scores = []
    for shared, (keys, _), bias in zip(levels, pairs, biases, strict=True):
        scores.append(shared.times(rows, keys.transpose(2, 3)))
        if bias is not None:
            scores[-1].add_(bias)
    weights = torch.cat(scores, -1).softmax(-1).split([each.shape[-1] for each in scores], -1)
    met = [shared.times(part, values) for shared, part, (_, values) in zip(levels, weights, pairs, strict=True)]
    return reduce(torch.add, met).transpose(0, 1).reshape(batch, 1, heads, -1)


def _attend_whole(
    query: torch.Tensor, levels: Sequence[Shared], pairs: Sequence[Pair], biases: Sequence[torch.Tensor | None],
    scaling: float | None,
) -> torch.Tensor:  # fmt: skip
    """Many queries of each sequence, as in reading prompts: every one gets a copy of its texts for the fused attention.

    A copy for one layer is small beside the scores, which are not written down then. Returns [batch, count, heads, size].
    """
    batch, heads, count, _ = query.shape
    keys, values = (
        torch.cat([pair[i][:, shared.owner] for shared, pair in zip(levels, pairs, strict=True)], dim=2).transpose(0, 1)
        for i in (0, 1)
    )
    bias = query.new_zeros(batch, 1, count, keys.shape[2])
    for part, hidden in zip(bias.split([pair[0].shape[2] for pair in pairs], -1), biases, strict=True):
        if hidden is not None:
            part.copy_(hidden[:, None])
    # GPUs have no fused attention with a mask for shared heads; on CPUs heads that share keys need no copies of them.
    grouped = query.device.type == "cpu"
    if not grouped:
        keys, values = (x.repeat_interleave(heads // x.shape[1], 1) for x in (keys, values))
    # A query with other strides would not be fused.
    result = scaled_dot_product_attention(query.contiguous(), keys, values, bias, scale=scaling, enable_gqa=grouped)
    return result.transpose(1, 2)


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
