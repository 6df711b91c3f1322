"""Attention in two parts (shared-prefix or cascade attention): a beginning that all sequences share, and each one's own.

Few-shot prompts of a task differ in their last part only. The common beginning is read once; then every query of every
sequence meets its keys in one matrix product per head, and each sequence's own keys in a small one. Nothing of the
beginning is copied per sequence, and own parts are written in place. Both parts go through one softmax, so the result is that
of ordinary attention up to rounding.

Positions tell everything about masks: an own part is aligned at the right end of its space, so its columns have positions
too; those before the beginning's end are padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, Cache, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"
Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values
READ = 512  # tokens read at a time
TOLERANCE = {
    torch.float32: 1e-3,
    torch.bfloat16: 5e-2,
    torch.float16: 5e-2,
}  # of a trial, relative to the largest logit


@dataclass
class Beginning:
    """What the prompts share: `length` tokens, and keys and values of each layer, [heads, kept, size].

    A layer with a sliding window keeps the last tokens only.
    """

    length: int
    layers: list[Pair]


class _Own(DynamicLayer):
    """Keys and values of the own parts, [batch, heads, width, size], written into space that was set aside."""

    is_sliding = False

    def __init__(self, space: Pair, used: int) -> None:
        super().__init__()
        self.space, self.used, self.is_initialized = space, used, True

    def update(self, keys: torch.Tensor, values: torch.Tensor, *args: Any, **kwargs: Any) -> Pair:
        end = self.used + keys.shape[-2]
        for space, states in zip(self.space, (keys, values), strict=True):
            space[:, :, self.used : end] = states
        self.used = end
        return self.space[0][:, :, :end], self.space[1][:, :, :end]

    def get_seq_length(self) -> int:
        return self.used

    def select(self, rows: torch.Tensor) -> None:
        self.space = self.space[0][rows], self.space[1][rows]


@dataclass
class Cascade:
    """A batch of sequences that share a beginning. `first` [batch] is the position of each one's first own column."""

    beginning: Beginning
    cache: Cache
    first: torch.Tensor
    positions: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    _biases: dict[Any, torch.Tensor | None] = field(default_factory=dict)

    def forward(self, model: Any, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [batch, vocabulary] after `tokens` [batch, count], which are appended to the own parts."""
        used, count = self.cache.layers[0].get_seq_length(), tokens.shape[1]
        columns = torch.arange(used, used + count, device=tokens.device)
        self.positions = self.first[:, None] + columns
        self._biases.clear()
        unused = torch.empty(
            1, 1, 1, 1, device=tokens.device
        )  # a mask of four dimensions is taken as it is: none is built
        logits: torch.Tensor = model(
            tokens, position_ids=self.positions.clamp(min=0), attention_mask=unused, past_key_values=self.cache, use_cache=True,
            logits_to_keep=1, cascade=self,
        ).logits[:, -1]  # fmt: skip
        return logits

    def select(self, rows: torch.Tensor) -> None:
        """Keep these sequences alone."""
        self.first = self.first[rows]
        for layer in self.cache.layers:
            layer.select(rows)

    def bias(self, part: str, columns: int, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        """What is added to the scores, [batch, 1, 1, queries, columns]: −∞ where a key is not seen; None if all are."""
        key = part, columns, window
        if key not in self._biases:
            self._biases[key] = self._bias(part, columns, window, dtype)
        return self._biases[key]

    def _bias(self, part: str, columns: int, window: int | None, dtype: torch.dtype) -> torch.Tensor | None:
        range_ = torch.arange(columns, device=self.first.device)
        query = self.positions[:, :, None]
        if part == "beginning":
            key = self.beginning.length - columns + range_[None, None]
            seen = torch.ones_like(key, dtype=torch.bool)
        else:
            key = (self.first[:, None] + range_)[:, None]
            seen = (key >= self.beginning.length) & (key <= query)
            seen |= key == query  # padding sees itself, since a softmax over nothing is no number
        if window is not None:
            seen = seen & (query - key < window)
        if seen.all():
            return None
        return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, -torch.inf)[:, None, None]


def _attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    scaling: float | None = None, sliding_window: int | None = None, cascade: Cascade | None = None, **others: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """transformers' attention function: `query` [batch, heads, count, size], own `key`, `value` [batch, groups, width, size]."""
    if cascade is None:
        if sliding_window is not None:
            others["sliding_window"] = sliding_window
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)
    batch, heads, count, size = query.shape
    groups, width = key.shape[1:3]
    shared_keys, shared_values = cascade.beginning.layers[module.layer_idx]
    shared, rows = shared_keys.shape[1], heads // groups * count
    scaled = (query * (size**-0.5 if scaling is None else scaling)).reshape(batch, groups, rows, size)
    by_group = scaled.transpose(0, 1).reshape(groups, batch * rows, size)
    shape = (batch, groups, heads // groups, count)
    own = torch.matmul(scaled, key.transpose(2, 3)).view(*shape, width)
    first = torch.bmm(by_group, shared_keys.transpose(1, 2)).view(groups, batch, *shape[2:], shared).transpose(0, 1)
    for scores, part in ((own, "own"), (first, "beginning")):
        bias = cascade.bias(part, scores.shape[-1], sliding_window, scores.dtype)
        if bias is not None:
            scores += bias
    weights = torch.softmax(torch.cat([first, own], dim=-1), dim=-1, dtype=torch.float32).to(query.dtype)
    to_first = weights[..., :shared].transpose(0, 1).reshape(groups, batch * rows, shared)
    result = torch.matmul(weights[..., shared:].reshape(batch, groups, rows, width), value)
    result += torch.bmm(to_first, shared_values).view(groups, batch, rows, size).transpose(0, 1)
    return result.view(batch, heads, count, size).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def read_beginning(model: Any, tokens: Sequence[int]) -> Beginning:
    """Keys and values after the shared tokens; none of them gives an empty beginning."""
    cache = DynamicCache(config=model.config.get_text_config())
    # Without any token the shapes are not known: one is read and left out.
    shown = list(tokens) or [0]
    model(torch.tensor([shown], device=model.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
    kept = [min(len(tokens), layer.keys.shape[2]) for layer in cache.layers]
    layers = [
        (layer.keys[0, :, layer.keys.shape[2] - n :].contiguous(), layer.values[0, :, layer.values.shape[2] - n :].contiguous())
        for layer, n in zip(cache.layers, kept, strict=True)
    ]  # fmt: skip
    return Beginning(len(tokens), layers)


def read_own(
    model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]]
) -> tuple[list[list[Pair]], torch.Tensor]:
    """For each prompt's own tokens, keys and values of each layer, [heads, tokens, size]; and the logits after them, [prompts, vocabulary].

    Prompts of similar length are read together, READ tokens at a time: large products, little padding.
    """
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    parts: dict[int, list[Pair]] = {}
    logits: dict[int, torch.Tensor] = {}
    while order:
        width = len(prompts[order[-1]])
        count = max(1, READ // width)
        order, chunk = order[:-count], order[-count:]
        lengths = [len(prompts[index]) for index in chunk]
        cascade = _empty(beginning, len(chunk), width)
        cascade.first = cascade.first + torch.tensor(lengths, device=model.device) - width
        rows = [[0] * (width - len(prompts[index])) + list(prompts[index]) for index in chunk]
        found = cascade.forward(model, torch.tensor(rows, device=model.device))
        for row, (index, length) in enumerate(zip(chunk, lengths, strict=True)):
            logits[index] = found[row]
            parts[index] = [
                (layer.space[0][row, :, width - length :], layer.space[1][row, :, width - length :])
                for layer in cascade.cache.layers
            ]
    return [parts[index] for index in range(len(prompts))], torch.stack([logits[i] for i in range(len(prompts))])


def _empty(beginning: Beginning, batch: int, width: int) -> Cascade:
    layers = []
    for keys, values in beginning.layers:
        heads, _, size = keys.shape
        space = keys.new_empty(batch, heads, width, size), values.new_empty(batch, heads, width, values.shape[2])
        layers.append(_Own(space, 0))
    first = torch.full((batch,), beginning.length, device=beginning.layers[0][0].device)
    return Cascade(beginning, Cache(layers=layers), first)


def join(beginning: Beginning, parts: Sequence[list[Pair]], rows: Sequence[int], steps: int) -> Cascade:
    """A batch whose sequence r has the own part `parts[rows[r]]`, with space for `steps` more tokens."""
    lengths = [part[0][0].shape[1] for part in parts]
    width = max(lengths)
    cascade = _empty(beginning, len(rows), width + steps)
    for index, layer in enumerate(cascade.cache.layers):
        for row, part in enumerate(rows):
            for space, states in zip(layer.space, parts[part][index], strict=True):
                space[row, :, : width - lengths[part]] = (
                    0  # masked, but a product with what lay there might be no number
                )
                space[row, :, width - lengths[part] : width] = states
        layer.used = width
    cascade.first = cascade.first + torch.tensor([lengths[part] - width for part in rows], device=cascade.first.device)
    return cascade


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

    The trial decodes two tokens after a beginning and an own part. It finds models that keep more than keys and values, or
    whose attention does more than scale, mask and softmax (soft caps, sinks, biases).
    """
    if model.config.is_encoder_decoder:
        return "it is an encoder-decoder model"
    own = model.config._attn_implementation
    layers = DynamicCache(config=model.config.get_text_config()).layers
    if own != "sdpa" or not layers or not all(type(x) in (DynamicLayer, DynamicSlidingWindowLayer) for x in layers):
        return f"its attention ({own}) or its cache is of another kind"
    tokens = [(7 * i + 5) % (model.config.get_text_config().vocab_size - 1) for i in range(24)]
    expected = model(torch.tensor([tokens], device=model.device)).logits[0, -1].float()
    try:
        model.set_attn_implementation(NAME)
        beginning = read_beginning(model, tokens[:12])
        cascade = join(beginning, read_own(model, beginning, [tokens[12:-2]])[0], [0, 0], 2)
        for token in tokens[-2:]:
            found = cascade.forward(model, torch.tensor([[token]] * 2, device=model.device)).float()
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
