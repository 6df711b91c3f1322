"""Attention in levels (shared-prefix or cascade attention): what sequences have in common is read, kept and met once.

Few-shot prompts of a task begin alike, and the n samples of a question share all of its prompt. So there are three levels: the
beginnings of prompts, the rest of each prompt, and each sequence's own tokens. At each level all queries that share a text
meet its keys in one matrix product per head. Nothing shared is copied per sequence, and own tokens are written in place. The
levels go through one softmax, so the result is that of ordinary attention up to rounding.

Positions tell everything about masks: a text is aligned at the right end of its columns, so its columns have positions too;
those before its start are padding.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import AttentionInterface, AttentionMaskInterface, Cache, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"
Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values
READ = {"cpu": 512, "cuda": 8192}  # tokens of prompts read at a time
GROW = 64  # columns that own tokens get more space by
TOLERANCE = {
    torch.float32: 1e-3,
    torch.bfloat16: 5e-2,
    torch.float16: 5e-2,
}  # of a trial, relative to the largest logit


@dataclass
class Level:
    """Texts of one level.

    `layers` has keys and values of each layer, [texts, heads, columns, size]; layers with a sliding window may keep the last
    columns only. `start` and `end` [texts] are the positions of a text's first token and after its last.
    """

    start: torch.Tensor
    end: torch.Tensor
    layers: list[Pair] = field(default_factory=list)


class _Shared:
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
class _Step:
    """What attention has to know in one pass: the levels, the sequences' own one last, and the positions [batch, count]."""

    levels: list[_Shared]
    positions: torch.Tensor
    _hidden: dict[Any, torch.Tensor | None] = field(default_factory=dict)

    def bias(self, index: int, columns: int, window: int | None) -> torch.Tensor | None:
        """What is added to scores, [sequences, count, columns]: −∞ where a key is not seen; None if all are."""
        key = index, columns, window
        if key not in self._hidden:
            self._hidden[key] = self._bias(self.levels[index], columns, window)
        return self._hidden[key]

    def _bias(self, shared: _Shared, columns: int, window: int | None) -> torch.Tensor | None:
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


class _Own(DynamicLayer):
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
    scaling: float | None = None, sliding_window: int | None = None, cascade: _Step | None = None, **others: Any,
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
    shared: _Shared, pair: Pair, scaled: torch.Tensor, bias: torch.Tensor | None
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
    module: Any, query: torch.Tensor, levels: Sequence[_Shared], pairs: Sequence[Pair],
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


def _forward(model: Any, step: _Step, tokens: torch.Tensor, layers: list[_Own]) -> torch.Tensor:
    """Logits [batch, vocabulary] after `tokens` [batch, count]; `layers` take their keys and values."""
    # A mask of four dimensions is taken as it is: none is built.
    unused = torch.empty(1, 1, 1, 1, device=tokens.device)
    logits: torch.Tensor = model(
        tokens, position_ids=step.positions.clamp(min=0), attention_mask=unused, past_key_values=Cache(layers=layers),
        use_cache=True, logits_to_keep=1, cascade=step,
    ).logits[:, -1]  # fmt: skip
    return logits


def read_beginnings(model: Any, texts: Sequence[Sequence[int]]) -> Level | None:
    """What prompts begin with, by their tokens; None if no text has any."""
    levels = [_read_beginning(model, text) for text in texts if text]
    if not levels:
        return None
    zero = torch.zeros(1, dtype=torch.long, device=model.device)
    none = Level(zero, zero, [(keys[:, :, :0], values[:, :, :0]) for keys, values in levels[0].layers])
    found = iter(levels)
    return _joined([next(found) if text else none for text in texts])


def _read_beginning(model: Any, tokens: Sequence[int]) -> Level:
    cache = DynamicCache(config=model.config.get_text_config())
    shown = torch.tensor([list(tokens)], device=model.device)
    model(shown, past_key_values=cache, use_cache=True, logits_to_keep=1)
    layers = [
        (layer.keys[:, :, -len(tokens) :].contiguous(), layer.values[:, :, -len(tokens) :].contiguous())
        for layer in cache.layers
    ]
    zero = torch.zeros(1, dtype=torch.long, device=model.device)
    return Level(zero, zero + len(tokens), layers)


@dataclass(frozen=True)
class Continuation:
    """A prompt: one of the beginnings, and at least one token after it."""

    beginning: int
    tokens: Sequence[int]


class Cascade:
    """Sequences that are decoded together, [batch], each after one of the prompts."""

    def __init__(self, model: Any, beginnings: Level | None) -> None:
        self.model, self.beginnings = model, beginnings
        self.prompts: Level | None = None
        self.begins: list[int] = []  # beginning of each prompt
        self.owner: list[int] = []  # prompt of each sequence
        self.used: list[int] = []  # own tokens of each sequence
        self.spaces: list[Pair] = []  # and where they are, [batch, heads, columns, size] for each layer

    def enter(self, prompts: Sequence[Continuation], samples: Sequence[int]) -> torch.Tensor:
        """Read prompts, and add `samples` sequences to each, at the end of the batch.

        Returns the logits after the prompts, [prompts, vocabulary].
        """
        levels = [self.prompts] if self.prompts else []
        self.owner += [len(self.begins) + text for text, count in enumerate(samples) for _ in range(count)]
        self.begins += [prompt.beginning for prompt in prompts]
        self.used += [0] * sum(samples)
        logits = []
        for chunk in _chunks(prompts, READ[self.model.device.type]):
            level, after = self._read(chunk)
            levels.append(level)
            logits.append(after)
        self.prompts = _joined(levels)
        if not self.spaces:
            self.spaces = [(keys[:0, :, :0], values[:0, :, :0]) for keys, values in self.prompts.layers]
        self._map_spaces(lambda space: pad(space, (0, 0, 0, 0, 0, 0, 0, sum(samples))))
        return torch.cat(logits)

    def _read(self, prompts: Sequence[Continuation]) -> tuple[Level, torch.Tensor]:
        """Prompts as a level, and the logits after them."""
        device, begins = self.model.device, [prompt.beginning for prompt in prompts]
        width = max(len(prompt.tokens) for prompt in prompts)
        start = torch.zeros(len(prompts), dtype=torch.long, device=device)
        if self.beginnings:
            start += self.beginnings.end[begins]
        level = Level(start, start + torch.tensor([len(prompt.tokens) for prompt in prompts], device=device))
        padded = [[0] * (width - len(prompt.tokens)) + list(prompt.tokens) for prompt in prompts]
        rows = torch.tensor(padded, device=device)
        layers = [_Own() for _ in range(self.model.config.get_text_config().num_hidden_layers)]
        positions = level.end[:, None] - width + torch.arange(width, device=device)
        step = _Step([*self._start(begins), _Shared(level, range(len(prompts)))], positions)
        logits = _forward(self.model, step, rows, layers)
        level.layers = [layer.space for layer in layers if layer.space]
        return level, logits

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [batch, vocabulary] after one more token of each sequence, `tokens` [batch]."""
        assert self.prompts
        columns = max(self.used) + 1
        if columns > self.spaces[0][0].shape[2]:
            self._map_spaces(lambda space: pad(space, (0, 0, 0, GROW)))
        at = torch.tensor(self.used, device=tokens.device)
        start = self.prompts.end[torch.tensor(self.owner, device=tokens.device)]
        own = _Shared(Level(start, start + columns), range(len(tokens)))
        levels = [*self._start([self.begins[text] for text in self.owner]), _Shared(self.prompts, self.owner), own]
        layers = [_Own(space, at, columns) for space in self.spaces]
        logits = _forward(self.model, _Step(levels, (start + at)[:, None]), tokens[:, None], layers)
        self.used = [used + 1 for used in self.used]
        return logits

    def keep(self, sequences: Sequence[int]) -> None:
        """Keep these sequences alone, in ascending order, with their prompts."""
        assert self.prompts
        owner = [self.owner[sequence] for sequence in sequences]
        texts = sorted(set(owner))
        self.owner = [texts.index(text) for text in owner]
        self.begins = [self.begins[text] for text in texts]
        self.used = [self.used[sequence] for sequence in sequences]
        self.prompts = _chosen(self.prompts, texts) if texts else None
        rows, columns = torch.tensor(sequences, dtype=torch.long, device=self.model.device), max(self.used, default=0)
        self._map_spaces(lambda space: space[:, :, :columns][rows])

    def _start(self, begins: Sequence[int]) -> list[_Shared]:
        return [_Shared(self.beginnings, begins)] if self.beginnings else []

    def _map_spaces(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        # One layer at a time: the old and the new spaces of all layers need not be held together.
        for index, (keys, values) in enumerate(self.spaces):
            self.spaces[index] = change(keys), change(values)


def _chunks(prompts: Sequence[Continuation], most: int) -> Iterator[Sequence[Continuation]]:
    """Prompts in order, as many at a time as make at most `most` tokens with their padding, but at least one."""
    first, width = 0, 0
    for index, prompt in enumerate(prompts):
        width = max(width, len(prompt.tokens))
        if index > first and (index + 1 - first) * width > most:
            yield prompts[first:index]
            first, width = index, len(prompt.tokens)
    yield prompts[first:]


def _chosen(level: Level, texts: Sequence[int]) -> Level:
    """A level with these texts alone, without columns that none of them needs."""
    rows = torch.tensor(texts, device=level.start.device)
    start, end = level.start[rows], level.end[rows]
    columns = int((end - start).max())
    return Level(start, end, [(keys[rows, :, -columns:], values[rows, :, -columns:]) for keys, values in level.layers])


def _joined(levels: Sequence[Level]) -> Level:
    """Levels one after the other, padded to the widest."""
    if len(levels) == 1:
        return levels[0]

    def together(states: Sequence[torch.Tensor]) -> torch.Tensor:
        columns = max(each.shape[2] for each in states)
        return torch.cat([pad(each, (0, 0, columns - each.shape[2], 0)) for each in states])

    layers = [
        (together([keys for keys, _ in same]), together([values for _, values in same]))
        for same in zip(*(level.layers for level in levels), strict=True)
    ]
    return Level(torch.cat([level.start for level in levels]), torch.cat([level.end for level in levels]), layers)


def common_length(reference: Sequence[int], prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest common beginning, leaving at least one token of each prompt."""
    length = min([len(reference), *(len(prompt) - 1 for prompt in prompts)])
    for prompt in prompts:
        while list(reference[:length]) != list(prompt[:length]):
            length -= 1
    return length


@torch.inference_mode()
def fitted(model: Any) -> str | None:
    """Let `model` use this attention, if a trial gives the logits of its own one; else leave it and return the reason.

    The trial decodes a token after a beginning and a prompt. It finds models that keep more than keys and values, or
    whose attention does more than scale, mask and softmax (soft caps, sinks, biases).
    """
    if model.config.is_encoder_decoder:
        return "it is an encoder-decoder model"
    own = model.config._attn_implementation
    layers = DynamicCache(config=model.config.get_text_config()).layers
    if own != "sdpa" or not layers or not all(type(x) in (DynamicLayer, DynamicSlidingWindowLayer) for x in layers):
        return f"its attention ({own}) or its cache is of another kind"
    tokens = [(7 * i + 5) % (model.config.get_text_config().vocab_size - 1) for i in range(24)]
    try:
        expected = model(torch.tensor([tokens], device=model.device), logits_to_keep=1).logits[0, -1].float()
        model.set_attn_implementation(NAME)
        cascade = Cascade(model, read_beginnings(model, [tokens[:12]]))
        cascade.enter([Continuation(0, tokens[12:-1])], [2])
        found = cascade.forward(torch.tensor([tokens[-1]] * 2, device=model.device)).float()
        distance = float((found - expected).abs().max() / expected.abs().max())
        reason = (
            None if distance < TOLERANCE[model.dtype] else f"a trial differs from its own attention by {distance:.2g}"
        )
    except (
        TypeError,
        ValueError,
        RuntimeError,
        KeyError,
        AttributeError,
    ) as error:  # of an architecture we do not know
        reason = f"{type(error).__name__}: {error}"
    if reason:
        model.set_attn_implementation(own)
    return reason
