"""Attention in levels (shared-prefix or cascade attention).

What sequences have in common is read, kept and met once. Few-shot prompts of a task begin alike, and the n
samples of a question share all of its prompt. So there are three levels: the beginnings of prompts, the rest
of each prompt, and each sequence's own tokens. At each level all queries that share a text meet its keys in
one matrix product per head. Nothing shared is copied per sequence, and own tokens are written in place. The
levels go through one softmax, so the result is that of ordinary attention up to rounding.

Positions tell everything about masks: a text is aligned at the right end of its columns, so its columns have
positions too; those before its start are padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

Pair = tuple[Tensor, Tensor]  # keys and values


@dataclass
class Level:
    """Texts of one level.

    `layers` has keys and values of each layer, [heads, texts, columns, size]; layers with a sliding window
    may keep the last columns only. `start` and `end` [texts] are the positions of a text's first token and
    after its last.
    """

    start: Tensor
    end: Tensor
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

    def times(self, rows: Tensor, matrices: Tensor) -> Tensor:
        """Rows of each sequence times the matrix of its text: one product per head and text.

        With `rows` [heads, sequences, rows, a] and `matrices` [heads, texts, a, b] it is
        [heads, sequences, rows, b].
        """
        heads, texts, inner, outer = matrices.shape
        by_text = rows if self.in_order else rows[:, self.members]
        product = torch.matmul(by_text.reshape(heads, texts, -1, inner), matrices)
        product = product.view(heads, -1, rows.shape[2], outer)
        return product if self.in_order else product[:, self.place]


@dataclass
class Step:
    """What attention has to know when each sequence goes one token on.

    These are the levels, the sequences' own one last, and their positions [batch].
    """

    levels: list[Shared]
    positions: Tensor
    _hidden: dict[Any, Tensor | None] = field(default_factory=dict)

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None
    ) -> Tensor:
        """What `query` [batch, heads, 1, size] meets: [batch, 1, heads, size].

        `key` and `value` are the sequences' own, as in a level.
        """
        pairs = [shared.level.layers[layer] for shared in self.levels[:-1]] + [(key, value)]
        biases = [self.bias(index, keys.shape[2], window) for index, (keys, _) in enumerate(pairs)]
        return _attend(query * scale, self.levels, pairs, biases)

    def bias(self, index: int, columns: int, window: int | None) -> Tensor | None:
        """What is added to scores, [sequences, 1, columns]: −∞ where a key is not seen.

        It is None if all keys are seen.
        """
        key = index, columns, window
        if key not in self._hidden:
            self._hidden[key] = self._bias(self.levels[index], columns, window)
        return self._hidden[key]

    def _bias(self, shared: Shared, columns: int, window: int | None) -> Tensor | None:
        query = self.positions[:, None, None]
        start, end = (x[shared.owner][:, None, None] for x in (shared.level.start, shared.level.end))
        key = end - columns + torch.arange(columns, device=query.device)
        seen = (key >= start) & (key <= query)
        if window is not None:
            seen &= query - key < window
        if seen.all():
            return None
        return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -torch.inf)


class Own(DynamicLayer):
    """Keys and values of the sequences' own tokens, in space [heads, batch, columns, size].

    The next ones go to column `at`. Attention gets all of the space, since products of parts of it would copy
    them first (bfloat16 on a CPU).
    """

    is_sliding = False

    def __init__(self, space: Pair, at: int) -> None:
        super().__init__()
        self.space, self.at, self.is_initialized = space, at, True

    def update(self, keys: Tensor, values: Tensor, *args: Any, **kwargs: Any) -> Pair:
        for space, states in zip(self.space, (keys, values), strict=True):
            space[:, :, self.at] = states[:, :, 0].transpose(0, 1)
        return self.space

    def get_seq_length(self) -> int:
        return 0  # positions are given


def _attend(
    scaled: Tensor, levels: Sequence[Shared], pairs: Sequence[Pair], biases: Sequence[Tensor | None]
) -> Tensor:
    """What one query of each sequence, `scaled` [batch, heads, 1, size], meets in all levels.

    Returns [batch, 1, heads, size].
    """
    batch, heads, _, size = scaled.shape
    groups = len(pairs[0][0])
    rows = scaled.reshape(batch, groups, heads // groups, size).transpose(0, 1).contiguous()
    scores = []
    for shared, (keys, _), bias in zip(levels, pairs, biases, strict=True):
        scores.append(shared.times(rows, keys.transpose(2, 3)))
        if bias is not None:
            scores[-1].add_(bias)
    weights = torch.cat(scores, -1).softmax(-1).split([each.shape[-1] for each in scores], -1)
    parts = zip(levels, weights, pairs, strict=True)
    met = [shared.times(part, values) for shared, part, (_, values) in parts]
    return reduce(torch.add, met).transpose(0, 1).reshape(batch, 1, heads, -1)
