"""Decode a batch of sequences token by token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import GenerationMixin, LogitsProcessor, LogitsProcessorList, StoppingCriteria
from transformers.generation.stopping_criteria import StoppingCriteriaList

from selfincorrect.engines.transformers import prefix
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


def decode_with_prefix(
    model: Any,
    prompts: Sequence[Sequence[int]],
    caches: Sequence[Any],
    rows: Sequence[int],
    sampler: Sampler,
    steps: int,
    eos: frozenset[int],
    ends: Ends,
) -> list[Generated]:
    """One sequence for each of `rows`, an index into `prompts` and their `caches` (all but the last token read).

    Sequences that have ended leave the batch.
    """
    sequences = [Generated() for _ in rows]
    cache = prefix.join(model, caches, rows, steps)
    lengths = torch.tensor([len(prompts[row]) for row in rows], device=model.device)
    width = int(lengths.max())
    columns = torch.arange(width, device=model.device)
    mask = (columns[None] >= width - lengths[:, None]).long()
    tokens = torch.tensor([prompts[row][-1] for row in rows], device=model.device)
    alive = torch.arange(len(rows), device=model.device)
    for step in range(steps):
        logits = model(
            tokens[:, None],
            attention_mask=mask,
            position_ids=(lengths[alive] - 1 + step)[:, None],
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]
        tokens, logprobs = sampler(logits, alive, step)
        tokens = tokens.to(model.device)
        for index, token, logprob in zip(alive.tolist(), tokens.tolist(), logprobs.tolist(), strict=True):
            _take(sequences[index], token, logprob, eos, ends)
        going = torch.tensor([not sequences[index].ended for index in alive.tolist()])
        if not going.any():
            break
        if not going.all():
            kept = going.nonzero()[:, 0].to(model.device)
            cache.batch_select_indices(kept)
            alive, tokens, mask = alive[kept], tokens[kept], mask[kept]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
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
    """One sequence for each prompt by transformers' own `generate`: for every model that `prefix` does not support."""
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
