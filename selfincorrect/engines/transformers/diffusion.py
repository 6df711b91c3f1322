"""Decoding by masked-diffusion models: an answer begins as masks, and each step fills the surest place.

That is low-confidence remasking in blocks, a token a step (Nie et al. 2025, LLaDA, arXiv:2502.09992, §2.4).
The models' code comes with their weights.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch

from selfincorrect.engines.transformers.decoding import Finished, Generated, Rules
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.jobs import stopping

# Types of models in their configuration; whether the logits of a place are for the next one, as of a model
# that was made from an autoregressive one.
SHIFTED = {"llada": False, "dream": True}
BLOCK = 32  # places that are filled before the next ones


def is_diffusion(config: Any) -> bool:
    """Whether a configuration is that of a masked-diffusion model."""
    return str(config.model_type).lower() in SHIFTED


def decode_by_unmasking(
    model: Any, prompts: Sequence[Sequence[int]], size: int, sampler: Sampler, rules: Rules
) -> Iterator[Finished]:
    """Decode one sequence for each of `prompts`, those of equal prompts together, at most `size` at a time.

    A place has one uniform number at all steps. Log-probabilities are those of the steps that filled places,
    and their sum is no probability of the answer.
    """
    for _, alike in groupby(range(len(prompts)), key=lambda index: tuple(prompts[index])):
        indices = list(alike)
        for first in range(0, len(indices), size):
            if stopping.requested():
                return
            some = indices[first : first + size]
            yield list(zip(some, _unmasked(model, prompts[some[0]], some, sampler, rules), strict=True))


def _unmasked(
    model: Any, prompt: Sequence[int], indices: Sequence[int], sampler: Sampler, rules: Rules
) -> list[Generated]:
    mask, start = model.config.mask_token_id, len(prompt)
    row = torch.tensor([*prompt, *[mask] * rules.steps], device=model.device)
    tokens, logprobs = row.repeat(len(indices), 1), torch.zeros(len(indices), rules.steps)
    made = [Generated() for _ in indices]
    for begin in range(0, rules.steps, BLOCK):
        places = list(range(begin, min(begin + BLOCK, rules.steps)))
        for _ in places:
            _fill(model, tokens, logprobs, start, places, indices, sampler)
        for sequence, row, sure in zip(made, tokens[:, start:].tolist(), logprobs.tolist(), strict=True):
            for place in places:
                if not sequence.ended:
                    rules.take(sequence, row[place], sure[place])
        if all(sequence.ended for sequence in made):
            break
    return made


def _fill(
    model: Any,
    tokens: torch.Tensor,
    logprobs: torch.Tensor,
    start: int,
    places: Sequence[int],
    indices: Sequence[int],
    sampler: Sampler,
) -> None:
    """Fill the place of each row of `tokens` [B, prompt and answer] whose drawn token is surest, in place."""
    logits = model(input_ids=tokens).logits
    if SHIFTED[str(model.config.model_type).lower()]:
        logits = torch.cat([logits[:, :1], logits[:, :-1]], dim=1)
    mask = model.config.mask_token_id
    logits[..., mask] = -torch.inf  # a mask is no answer
    inside = slice(start + places[0], start + places[-1] + 1)
    open_ = tokens[:, inside] == mask
    rows = [index for index in indices for _ in places]
    steps = list(places) * len(indices)
    drawn, sure = sampler(logits[:, inside].flatten(0, 1).clone(), rows, steps)
    drawn, sure = drawn.view(open_.shape), sure.view(open_.shape)
    surest = sure.masked_fill(~open_, -torch.inf).argmax(-1)
    each = torch.arange(len(tokens), device=tokens.device)
    tokens[each, inside.start + surest] = drawn[each, surest]
    logprobs[each.cpu(), places[0] + surest.cpu()] = sure[each, surest].float().cpu()
