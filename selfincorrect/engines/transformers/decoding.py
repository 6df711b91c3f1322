"""Decoding of sequences token by token, many at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch
from transformers import GenerationMixin, LogitsProcessor, LogitsProcessorList, StoppingCriteria
from transformers.generation.stopping_criteria import StoppingCriteriaList

from selfincorrect.engines.transformers.cascade import Cascade, Continuation
from selfincorrect.engines.transformers.levels import Level
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.jobs import stopping

# Ended sequences leave, and new ones enter, when this share of the batch has ended, since each change copies
# the caches.
CHANGE = 1 / 8


@dataclass
class Generated:
    """The tokens that are generated for one request, and their log-probabilities.

    They are without the end-of-sequence token; `count` counts that too. A sequence `follows` another whose
    prompt is the same and was read for both.
    """

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    count: int = 0
    ended: bool = False
    follows: bool = False


Finished = list[tuple[int, Generated]]  # with the index of the sequence


@dataclass(frozen=True)
class Rules:
    """The rules that say when a sequence is over.

    It is over after `steps` tokens, at a token of `eos`, or where `ends` says so of its tokens.
    """

    steps: int
    eos: frozenset[int]
    ends: Callable[[Sequence[int]], bool] | None

    def take(self, sequence: Generated, token: int, logprob: float = 0.0) -> bool:
        """Add a token to a sequence. Returns whether it goes on."""
        sequence.count += 1
        if token in self.eos:
            sequence.ended = True
        else:
            sequence.tokens.append(token)
            sequence.logprobs.append(logprob)
            sequence.ended = self.ends is not None and self.ends(sequence.tokens)
        return not sequence.ended and sequence.count < self.steps


class _Together:
    """The sequences that are being decoded, and their next tokens."""

    def __init__(self, cascade: Cascade, sampler: Sampler, rules: Rules) -> None:
        self.cascade, self.sampler, self.rules = cascade, sampler, rules
        self.indices: list[int] = []
        self.sequences: list[Generated] = []
        self.going: list[bool] = []
        self.tokens: list[int] = []

    def take(self, logits: torch.Tensor, first: int) -> None:
        """Choose a token for each sequence from the `first` one on that has a row in `logits`."""
        chosen = range(first, first + len(logits))
        steps = [min(self.sequences[i].count, self.rules.steps - 1) for i in chosen]
        tokens, logprobs = self.sampler(logits, [self.indices[i] for i in chosen], steps)
        for i, token, logprob in zip(chosen, tokens.tolist(), logprobs.tolist(), strict=True):
            self.tokens[i] = token
            if self.going[i]:
                self.going[i] = self.rules.take(self.sequences[i], token, logprob)

    def enter(self, indices: Sequence[int], prompts: Sequence[Continuation]) -> None:
        """Start sequences; those that are next to each other and have the same prompt share it."""
        groups = [list(group) for _, group in groupby(indices, key=lambda index: prompts[index])]
        first = len(self.indices)
        self.indices += indices
        self.sequences += [Generated(follows=place > 0) for group in groups for place in range(len(group))]
        self.going += [True] * len(indices)
        self.tokens += [0] * len(indices)
        samples = [len(group) for group in groups]
        for logits in self.cascade.enter([prompts[group[0]] for group in groups], samples):
            counts, samples = samples[: len(logits)], samples[len(logits) :]
            self.take(logits.repeat_interleave(torch.tensor(counts, device=logits.device), 0), first)
            first += sum(counts)

    def step(self) -> None:
        logits = self.cascade.forward(torch.tensor(self.tokens, device=self.cascade.model.device))
        self.take(logits, 0)

    def leave(self) -> Finished:
        """Take out the sequences that are over."""
        over = [(self.indices[i], self.sequences[i]) for i, going in enumerate(self.going) if not going]
        kept = [row for row, going in enumerate(self.going) if going]
        self.cascade.keep(kept)
        self.indices, self.sequences = [self.indices[i] for i in kept], [self.sequences[i] for i in kept]
        self.tokens, self.going = [self.tokens[i] for i in kept], [True] * len(kept)
        return over


def decode_together(
    model: Any,
    beginnings: Level | None,
    prompts: Sequence[Continuation],
    size: int,
    sampler: Sampler,
    rules: Rules,
) -> Iterator[Finished]:
    """Decode one sequence for each of `prompts`, at most `size` at a time.

    Yields sequences as they end. Others enter in their place, so that the batch stays full, until
    `stopping.requested`.
    """
    batch = _Together(Cascade(model, beginnings), sampler, rules)
    entered = 0
    while True:
        last = entered if stopping.requested() else len(prompts)
        more = range(entered, min(last, entered + size - len(batch.indices)))
        if more:
            batch.enter(more, prompts)
            entered = more.stop
        if not batch.indices:
            return
        while sum(batch.going) > (1 - CHANGE) * len(batch.indices):
            batch.step()
        yield batch.leave()


class _ChooseTokens(LogitsProcessor, StoppingCriteria):
    """Lets the sampler choose inside `generate`, and stops ended sequences.

    All tokens that are not chosen get no weight.
    """

    def __init__(self, indices: Sequence[int], sampler: Sampler, rules: Rules) -> None:
        self.indices, self.sampler, self.rules = indices, sampler, rules
        self.sequences = [Generated() for _ in indices]

    def choose(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        steps = [max(sequence.count for sequence in self.sequences)] * len(scores)
        tokens, logprobs = self.sampler(scores, self.indices, steps)
        for sequence, token, logprob in zip(self.sequences, tokens.tolist(), logprobs.tolist(), strict=True):
            if not sequence.ended:
                self.rules.take(sequence, token, logprob)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0.0)

    def ended(self, input_ids: torch.Tensor, scores: Any) -> torch.Tensor:
        return torch.tensor([s.ended for s in self.sequences], device=input_ids.device)


def decode_plainly(
    model: GenerationMixin,
    prompts: Sequence[Sequence[int]],
    size: int,
    padding: int,
    sampler: Sampler,
    rules: Rules,
) -> Iterator[Finished]:
    """Decode one sequence for each of `prompts` by transformers' own `generate`.

    This is for every model that `cascade` does not fit.
    """
    for first in range(0, len(prompts), size):
        if stopping.requested():
            return
        indices = range(first, min(first + size, len(prompts)))
        width = max(len(prompts[index]) for index in indices)
        rows, masks = [], []
        for index in indices:
            fill = width - len(prompts[index])
            row, mask = [padding] * fill + list(prompts[index]), [0] * fill + [1] * (width - fill)
            if model.config.is_encoder_decoder:  # an encoder reads from the left
                row, mask = row[fill:] + row[:fill], mask[fill:] + mask[:fill]
            rows.append(row)
            masks.append(mask)
        chooser = _ChooseTokens(indices, sampler, rules)
        model.generate(
            input_ids=torch.tensor(rows, device=model.device),
            attention_mask=torch.tensor(masks, device=model.device),
            logits_processor=LogitsProcessorList([chooser.choose]),
            stopping_criteria=StoppingCriteriaList([chooser.ended]),
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,  # no penalty of the model's own: the sampler sees its plain logits
            no_repeat_ngram_size=0,
            min_length=0,
            max_new_tokens=rules.steps,
            pad_token_id=padding,
        )
        yield list(zip(indices, chooser.sequences, strict=True))
