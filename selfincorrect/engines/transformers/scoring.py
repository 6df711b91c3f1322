"""How probable given texts are after a prompt: by reading alone, nothing is decoded.

The numbers are those of a plain pass over the tokens of prompt and text together. What they begin with alike
is read once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from math import log
from typing import Any, NamedTuple

import torch

from selfincorrect.engines.transformers.cascade import READ, read_row
from selfincorrect.engines.transformers.levels import Level
from selfincorrect.engines.transformers.reading import Reading
from selfincorrect.engines.transformers.trees import Tree
from selfincorrect.jobs import stopping

SHARED = 1 / 4  # of a sequence: with less in common, meeting each other costs more than reading it again


@dataclass(frozen=True)
class Option:
    """A text after a prompt.

    `tokens` are those of both together, of an encoder-decoder model those of the text in the decoder; those
    from `start` on are the text's. Where it is `ended`, its end is a part of it. `wanted` are the numbers of
    its request and of itself there, `encoded` the tokens of its prompt in an encoder.
    """

    tokens: tuple[int, ...]
    start: int
    ended: bool = False
    wanted: tuple[int, int] = (0, 0)
    encoded: tuple[int, ...] = ()
    beginning: int = 0
    skipped: int = 0  # tokens that the beginning has

    @property
    def read(self) -> tuple[int, ...]:
        """The tokens that are read after the beginning: the last one only where the end is wanted."""
        return self.tokens[self.skipped : len(self.tokens) - (not self.ended)]

    @property
    def places(self) -> range:
        """The tokens among those, after which logits are wanted."""
        return range(self.start - self.skipped - 1, len(self.read))


class Scored(NamedTuple):
    """The natural log-probability of an option, its number of tokens, its self-certainty, and how many tokens
    were read for it alone.
    """

    logprob: float
    tokens: int
    certainty: float
    read: int


class Vocabulary(NamedTuple):
    """The tokens that end an answer or its line, and how many tokens there are, without padded rows."""

    ends: torch.Tensor
    size: int


def joined(prompt: Sequence[int], both: Sequence[int]) -> int:
    """Where the text begins in the tokens of prompt and text together.

    That is where the prompt ends, or before it where joining them changes its last tokens.
    """
    start = 0
    while start < min(len(prompt), len(both) - 1) and prompt[start] == both[start]:
        start += 1
    return start


def score_together(
    model: Any, beginnings: Level | None, options: Sequence[Option], size: int, vocabulary: Vocabulary
) -> Iterator[list[tuple[Option, Scored]]]:
    """Score options with what they share read once, at most `size` of them in a row."""
    waiting = sorted(options, key=lambda option: (option.beginning, option.read))
    while waiting and not stopping.requested():
        row = _Row()
        while waiting and row.takes(waiting[0], size, READ[model.device.type]):
            row.add(waiting.pop(0))
        yield row.scored(model, beginnings, vocabulary)


def whole(
    scored: Iterator[list[tuple[Option, Scored]]], counts: Sequence[int]
) -> Iterator[tuple[int, list[Scored]]]:
    """The scores of each request, which has so many options, as soon as it has all."""
    found: dict[int, dict[int, Scored]] = defaultdict(dict)
    for batch in scored:
        for option, score in batch:
            request, place = option.wanted
            found[request][place] = score
            if len(found[request]) == counts[request]:
                yield request, [score for _, score in sorted(found.pop(request).items())]


class _Row:
    """Options that are read together: trees of those that begin alike."""

    def __init__(self) -> None:
        self.trees: list[tuple[int, Tree]] = []  # with their beginning
        self.options: list[tuple[Option, int, list[int]]] = []  # with number and nodes of their tree
        self.read: list[int] = []  # nodes that each option adds

    def takes(self, option: Option, size: int, most: int) -> bool:
        tokens = sum(len(tree) for _, tree in self.trees) + len(option.read)
        return not self.options or (len(self.options) < size and tokens <= most)

    def add(self, option: Option) -> None:
        shared = 0
        if self.trees and self.trees[-1][0] == option.beginning:
            shared = self.trees[-1][1].common(option.read)
        if not self.trees or shared < SHARED * len(option.read):
            self.trees.append((option.beginning, Tree()))
        tree = self.trees[-1][1]
        before = len(tree)
        self.options.append((option, len(self.trees) - 1, tree.add(option.read)))
        self.read.append(len(tree) - before)

    def scored(
        self, model: Any, beginnings: Level | None, vocabulary: Vocabulary
    ) -> list[tuple[Option, Scored]]:
        begins = [beginning for beginning, _ in self.trees]
        starts = beginnings.end[begins].tolist() if beginnings else [0] * len(begins)
        branched = {place: tree for place, (_, tree) in enumerate(self.trees) if tree.branches}
        reading = Reading(starts, [len(tree) for _, tree in self.trees], beginnings, begins, branched)
        tokens = [token for _, tree in self.trees for token in tree.tokens]
        places = [
            [reading.places[tree].start + nodes[place] for place in option.places]
            for option, tree, nodes in self.options
        ]
        wanted = sorted({place for each in places for place in each})
        logits, _ = read_row(model, reading, tokens, wanted)
        number = {place: row for row, place in enumerate(wanted)}
        rows = [[number[place] for place in each] for each in places]
        return _scored([option for option, _, _ in self.options], rows, logits, vocabulary, self.read)


def score_plainly(
    model: Any, options: Sequence[Option], size: int, padding: int, vocabulary: Vocabulary
) -> Iterator[list[tuple[Option, Scored]]]:
    """Score options by plain passes over whole sequences, at most `size` at a time."""
    texts: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Option]] = defaultdict(list)
    for option in options:
        texts[option.encoded, option.read].append(option)
    # Similar lengths come together, for little padding.
    waiting = sorted(texts, key=lambda text: (-len(text[0]), -len(text[1])))
    for first in range(0, len(waiting), size):
        if stopping.requested():
            return
        together = waiting[first : first + size]
        alike = [(row, option) for row, text in enumerate(together) for option in texts[text]]
        wanted = sorted({place for _, option in alike for place in option.places})
        logits = _pass(model, together, padding, wanted)
        number = {place: column for column, place in enumerate(wanted)}
        rows = [[row * len(wanted) + number[place] for place in option.places] for row, option in alike]
        # Of options that end in one more token each, the first bears what they read alike.
        bears = [place == 0 or alike[place - 1][0] != row for place, (row, _) in enumerate(alike)]
        alone = [len(option.read) * bear for (_, option), bear in zip(alike, bears, strict=True)]
        yield _scored([option for _, option in alike], rows, logits.flatten(0, 1), vocabulary, alone)


def _pass(
    model: Any, texts: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], padding: int, wanted: Sequence[int]
) -> torch.Tensor:
    """Logits [texts, wanted, vocabulary] after the `wanted` tokens of (encoded, read) texts.

    Texts are padded on the right, where no token of theirs looks.
    """

    def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(map(len, rows))
        tokens = [[*row, *[padding] * (width - len(row))] for row in rows]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        return torch.tensor(tokens, device=model.device), torch.tensor(mask, device=model.device)

    read, mask = padded([text[1] for text in texts])
    places = torch.tensor(list(wanted), device=model.device)
    if model.config.is_encoder_decoder:
        encoded, seen = padded([text[0] for text in texts])
        output = model(encoded, attention_mask=seen, decoder_input_ids=read, use_cache=False)
    elif "logits_to_keep" in signature(model.forward).parameters:
        logits: torch.Tensor = model(read, attention_mask=mask, use_cache=False, logits_to_keep=places).logits
        return logits
    else:
        output = model(read, attention_mask=mask, use_cache=False)
    kept: torch.Tensor = output.logits[:, places]
    return kept


def _scored(
    options: Sequence[Option],
    rows: Sequence[Sequence[int]],
    logits: torch.Tensor,
    vocabulary: Vocabulary,
    read: Sequence[int],
) -> list[tuple[Option, Scored]]:
    """The scores of options, from the rows of `logits` after the tokens before each of theirs."""
    parts = [
        _told(part, vocabulary) for part in logits.split(max(1, 2**27 // logits.shape[1]))
    ]  # in float32, of which another copy may not fit
    norms, means = (torch.cat([part[each] for part in parts]) for each in (0, 1))
    ended = torch.cat([part[2] for part in parts])
    found = []
    for option, places, alone in zip(options, rows, read, strict=True):
        chosen = option.tokens[option.start :]
        before = torch.tensor(places[: len(chosen)], device=logits.device)
        logprobs = logits[before, torch.tensor(chosen, device=logits.device)].float() - norms[before]
        total = float(logprobs.double().sum()) + (float(ended[places[-1]]) if option.ended else 0.0)
        certainty = float((norms[before] - means[before]).double().mean()) - log(vocabulary.size)
        found.append((option, Scored(min(total, 0.0), len(chosen), certainty, alone)))
    return found


def _told(logits: torch.Tensor, vocabulary: Vocabulary) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For rows of logits: the logarithm of their sum, their mean, and the log-probability of an end."""
    logits = logits.float()
    norms = logits.logsumexp(-1)
    ended = logits[:, vocabulary.ends].logsumexp(-1) - norms
    return norms, logits[:, : vocabulary.size].mean(-1), ended
