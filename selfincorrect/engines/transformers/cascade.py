"""Sequences that are decoded together: prompts are read into levels, sequences enter and leave.

The levels are those of `levels.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from selfincorrect.engines.transformers.attention import Attends
from selfincorrect.engines.transformers.levels import Level, Own, Pair, Shared, Step
from selfincorrect.engines.transformers.reading import Reading

READ = {"cpu": 1024, "cuda": 8192}  # tokens of prompts read at a time
GROW = 16  # columns that own tokens get more space by


def _forward(
    model: Any,
    how: Attends,
    tokens: torch.Tensor,
    positions: torch.Tensor,
    layers: Sequence[DynamicLayer],
    logits_of: torch.Tensor,
) -> torch.Tensor:
    """Logits [batch, places, vocabulary] after the places `logits_of` of `tokens` [batch, count].

    The `layers` take keys and values.
    """
    # A mask of four dimensions is taken as it is: none is built.
    unused = torch.empty(1, 1, 1, 1, device=tokens.device)
    logits: torch.Tensor = model(
        tokens,
        position_ids=positions,
        attention_mask=unused,
        past_key_values=Cache(layers=layers),
        use_cache=True,
        logits_to_keep=logits_of,
        cascade=how,
    ).logits
    return logits


def read_row(
    model: Any, reading: Reading, tokens: Sequence[int], places: Sequence[int]
) -> tuple[torch.Tensor, list[DynamicLayer]]:
    """Logits [places, vocabulary] after `places` of the row's `tokens`, and the row's keys and values."""
    device = model.device
    row, wanted = torch.tensor([list(tokens)], device=device), torch.tensor(list(places), device=device)
    layers = [DynamicLayer() for _ in range(model.config.get_text_config().num_hidden_layers)]
    return _forward(model, reading, row, reading.positions().to(device)[None], layers, wanted)[0], layers


def read_beginnings(model: Any, texts: Sequence[Sequence[int]]) -> Level | None:
    """The level of what prompts begin with, from its tokens; None if no text has any."""
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

    def text(states: torch.Tensor) -> torch.Tensor:
        return states[:, :, -len(tokens) :].transpose(0, 1).contiguous()

    layers = [(text(layer.keys), text(layer.values)) for layer in cache.layers]
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
        self.spaces: list[Pair] = []  # and where they are, [heads, batch, columns, size] for each layer

    def enter(self, prompts: Sequence[Continuation], samples: Sequence[int]) -> Iterator[torch.Tensor]:
        """Read prompts, and add `samples` sequences to each, at the end of the batch.

        Yields the logits after some prompts, [prompts, vocabulary], until all are read; only then the batch
        may go on.
        """
        self.owner += [len(self.begins) + text for text, count in enumerate(samples) for _ in range(count)]
        self.begins += [prompt.beginning for prompt in prompts]
        self.used += [0] * sum(samples)
        level = self._unread(prompts)
        for first, chunk in _chunks(prompts, READ[self.model.device.type]):
            yield self._read(chunk, level, first)
        self.prompts = _joined([self.prompts, level] if self.prompts else [level])
        if not self.spaces:
            self.spaces = [(keys[:, :0, :0], values[:, :0, :0]) for keys, values in self.prompts.layers]
        self._map_spaces(lambda space: pad(space, (0, 0, 0, 0, 0, sum(samples))))

    def _unread(self, prompts: Sequence[Continuation]) -> Level:
        device = self.model.device
        start = torch.zeros(len(prompts), dtype=torch.long, device=device)
        if self.beginnings:
            start += self.beginnings.end[[prompt.beginning for prompt in prompts]]
        return Level(start, start + torch.tensor([len(prompt.tokens) for prompt in prompts], device=device))

    def _read(self, prompts: Sequence[Continuation], level: Level, first: int) -> torch.Tensor:
        """Logits after prompts, which are those of `level` from the `first` one on.

        Their keys and values are written there.
        """
        starts = level.start[first : first + len(prompts)].tolist()
        lengths, begins = [len(p.tokens) for p in prompts], [p.beginning for p in prompts]
        reading = Reading(starts, lengths, self.beginnings, begins)
        row = [token for prompt in prompts for token in prompt.tokens]
        logits, layers = read_row(self.model, reading, row, [place.stop - 1 for place in reading.places])
        if not level.layers:
            level.layers = [(_room(level, layer.keys), _room(level, layer.values)) for layer in layers]
        for pair, layer in zip(level.layers, layers, strict=True):
            for room, states in zip(pair, (layer.keys, layer.values), strict=True):
                for text, (length, place) in enumerate(zip(lengths, reading.places, strict=True), first):
                    room[:, text, room.shape[2] - length :] = states[0, :, place]
        return logits

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [batch, vocabulary] after one more token of each sequence, `tokens` [batch]."""
        assert self.prompts
        at = max(self.used)
        if at == self.spaces[0][0].shape[2]:
            self._map_spaces(lambda space: pad(space, (0, 0, 0, GROW)))
        start = self.prompts.end[torch.tensor(self.owner, device=tokens.device)]
        position = start + torch.tensor(self.used, device=tokens.device)
        own = Shared(Level(start, position + self.spaces[0][0].shape[2] - at), range(len(tokens)))
        beginnings = self._start([self.begins[text] for text in self.owner])
        step = Step([*beginnings, Shared(self.prompts, self.owner), own], position)
        layers = [Own(space, at) for space in self.spaces]
        only = torch.zeros(1, dtype=torch.long, device=tokens.device)
        logits = _forward(self.model, step, tokens[:, None], position[:, None], layers, only)[:, 0]
        self.used = [used + 1 for used in self.used]
        return logits

    def keep(self, sequences: Sequence[int]) -> None:
        """Keep only these sequences, in ascending order, with their prompts."""
        assert self.prompts
        owner, most = [self.owner[sequence] for sequence in sequences], max(self.used)
        texts = sorted(set(owner))
        self.owner = [texts.index(text) for text in owner]
        self.begins = [self.begins[text] for text in texts]
        self.used = [self.used[sequence] for sequence in sequences]
        self.prompts = _chosen(self.prompts, texts) if texts else None
        rows = torch.tensor(sequences, dtype=torch.long, device=self.model.device)
        columns = slice(most - max(self.used, default=0), most)
        self._map_spaces(lambda space: space[:, :, columns][:, rows])

    def _start(self, begins: Sequence[int]) -> list[Shared]:
        return [Shared(self.beginnings, begins)] if self.beginnings else []

    def _map_spaces(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        # One layer at a time: the old and the new spaces of all layers need not be held together.
        for index, (keys, values) in enumerate(self.spaces):
            self.spaces[index] = change(keys), change(values)


def _room(level: Level, states: torch.Tensor) -> torch.Tensor:
    """Room for keys or values of the texts of `level`, [heads, texts, columns, size].

    They are such as `states` [1, heads, tokens, size].
    """
    _, heads, _, size = states.shape
    return states.new_zeros(heads, len(level.start), int((level.end - level.start).max()), size)


def _chunks(prompts: Sequence[Continuation], most: int) -> Iterator[tuple[int, Sequence[Continuation]]]:
    """Prompts in order, as many at a time as have at most `most` tokens, but at least one.

    With each chunk comes the index of its first prompt.
    """
    first, tokens = 0, 0
    for index, prompt in enumerate(prompts):
        tokens += len(prompt.tokens)
        if index > first and tokens > most:
            yield first, prompts[first:index]
            first, tokens = index, len(prompt.tokens)
    yield first, prompts[first:]


def _chosen(level: Level, texts: Sequence[int]) -> Level:
    """A level with only these texts, without columns that none of them needs; its layers are taken."""
    rows = torch.tensor(texts, device=level.start.device)
    start, end = level.start[rows], level.end[rows]
    columns = int((end - start).max())
    layers = [(keys[:, rows, -columns:], values[:, rows, -columns:]) for keys, values in _taken(level)]
    return Level(start, end, layers)


def _joined(levels: Sequence[Level]) -> Level:
    """A level of the levels one after the other, padded to the widest; their layers are taken."""
    if len(levels) == 1:
        return levels[0]

    def together(states: Sequence[torch.Tensor]) -> torch.Tensor:
        columns = max(each.shape[2] for each in states)
        return torch.cat([pad(each, (0, 0, columns - each.shape[2], 0)) for each in states], dim=1)

    layers = [
        (together([keys for keys, _ in same]), together([values for _, values in same]))
        for same in zip(*map(_taken, levels), strict=True)
    ]
    starts, ends = [level.start for level in levels], [level.end for level in levels]
    return Level(torch.cat(starts), torch.cat(ends), layers)


def _taken(level: Level) -> Iterator[Pair]:
    """The layers, taken out of the level one by one.

    Old and new copies of all of them need not be held together.
    """
    while level.layers:
        yield level.layers.pop(0)


def common_length(reference: Sequence[int], prompts: Sequence[Sequence[int]]) -> int:
    """The length of the longest common beginning that leaves at least one token of each prompt."""
    length = min([len(reference), *(len(prompt) - 1 for prompt in prompts)])
    for prompt in prompts:
        while list(reference[:length]) != list(prompt[:length]):
            length -= 1
    return length
