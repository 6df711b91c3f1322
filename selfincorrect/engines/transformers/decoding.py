"""Decode a batch of sequences token by token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import GenerationMixin, LogitsProcessor, LogitsProcessorList, StoppingCriteria
from transformers.generation.stopping_criteria import StoppingCriteriaList

from selfincorrect.engines.transformers.cascade import Cascade
from selfincorrect.engines.transformers.sampling import Sampler


@dataclass
class Generated:
    """Tokens generated for one request, without the end-of-sequence token; `logprob` counts that token too."""

    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    count: int = 0
    ended: bool = False


Ends = Callable[[Sequence[int]], bool]


def _take(sequence: Generated, token: int, logprob: float, eos: frozenset[int], ends: Ends) -> None:
    """Add a token to a sequence and end it at an end token or a stop string."""
    sequence.count += 1
    sequence.logprob += logprob
    if token in eos:
        sequence.ended = True
        return
    sequence.tokens.append(token)
    sequence.ended = ends(sequence.tokens)


def decode_together(
    model: Any,
    cascade: Cascade,
    logits: torch.Tensor,
    sampler: Sampler,
    steps: int,
    eos: frozenset[int],
    ends: Ends,
) -> list[Generated]:
    """One sequence for each row of `logits`, [batch, vocabulary], those after the prompts that `cascade` holds.

    Sequences that have ended leave the batch.
    """
    sequences = [Generated() for _ in logits]
    alive = torch.arange(len(sequences), device=logits.device)
    for step in range(steps):
        tokens, logprobs = sampler(logits, alive, step)
        for index, token, logprob in zip(alive.tolist(), tokens.tolist(), logprobs.tolist(), strict=True):
            _take(sequences[index], token, logprob, eos, ends)
        going = torch.tensor([not sequences[index].ended for index in alive.tolist()])
        if not going.any() or step == steps - 1:
            break
        if not going.all():
            kept = going.nonzero()[:, 0].to(logits.device)
            cascade.select(kept)
            alive, tokens = alive[kept], tokens[kept]
        logits = cascade.forward(model, tokens[:, None].to(logits.device))
    return sequences


class _Choose(LogitsProcessor, StoppingCriteria):
    """Lets the sampler choose inside `generate`: all other tokens get no weight; stops ended sequences."""

    def __init__(self, sequences: list[Generated], sampler: Sampler, eos: frozenset[int], ends: Ends) -> None:
        self.sequences, self.sampler, self.eos, self.ends = sequences, sampler, eos, ends
        self.step = 0

    def choose(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        rows = torch.arange(len(scores), device=scores.device)
        tokens, logprobs = self.sampler(scores, rows, self.step)
        self.step += 1
        for sequence, token, logprob in zip(self.sequences, tokens.tolist(), logprobs.tolist(), strict=True):
            if not sequence.ended:
                _take(sequence, token, logprob, self.eos, self.ends)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0.0)

    def ended(self, input_ids: torch.Tensor, scores: Any) -> torch.Tensor:
        return torch.tensor([s.ended for s in self.sequences], device=input_ids.device)


def decode_plainly(
    model: GenerationMixin,
    prompts: Sequence[Sequence[int]],
    padding: int,
    sampler: Sampler,
    steps: int,
    eos: frozenset[int],
    ends: Ends,
) -> list[Generated]:
    """One sequence for each prompt by transformers' own `generate`: for every model that `cascade` does not fit."""
    sequences = [Generated() for _ in prompts]
    width = max(map(len, prompts))
    encoder_decoder = model.config.is_encoder_decoder
    rows, masks = [], []
    for prompt in prompts:
        fill = width - len(prompt)
        row, mask = [padding] * fill + list(prompt), [0] * fill + [1] * len(prompt)
        if encoder_decoder:  # an encoder reads from the left
            row, mask = row[fill:] + row[:fill], mask[fill:] + mask[:fill]
        rows.append(row)
        masks.append(mask)
    chooser = _Choose(sequences, sampler, eos, ends)
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
        max_new_tokens=steps,
        pad_token_id=padding,
    )
    return sequences
