"""Drawing of the next token, so that it depends on the sequence's own seed alone, not on its batch."""

from collections.abc import Sequence

import numpy as np
import torch


class Sampler:
    """Chooses tokens for a batch of sequences, each with its own stream of uniform numbers.

    A token is the inverse of the cumulative distribution at a uniform number: one number a step, so the same
    seed gives the same answer in any batch, up to floating-point rounding of the logits.
    """

    # The cumulative sum runs over blocks, then within one block: a large vocabulary is read once.
    BLOCK = 1024
    # Values of logits at a time: on a CPU a few rows, so that the steps find them in the cache.
    AT_ONCE = 2**19

    def __init__(self, seeds: Sequence[int | None], steps: int, temperature: float, top_p: float) -> None:
        """Take `seeds` of the sequences (None only with temperature 0), for at most `steps` tokens each."""
        self.temperature, self.top_p = temperature, top_p
        self.uniform: torch.Tensor | None = None  # [sequences, steps], in [0, 1); None if nothing is drawn
        if temperature > 0:
            streams = [np.random.Generator(np.random.Philox(key=seed)) for seed in seeds]
            self.uniform = torch.from_numpy(np.stack([each.random(steps) for each in streams]))

    def __call__(
        self, logits: torch.Tensor, sequences: Sequence[int], steps: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens [B] and their log-probabilities at temperature 1 [B], for logits [B, vocabulary].

        `sequences` [B] says which seeds the rows of `logits` belong to, `steps` [B] how many tokens came
        before. `logits` is overwritten.
        """
        uniform = None
        if self.uniform is not None:
            uniform = self.uniform[list(sequences), list(steps)].to(logits.device)
        count = max(1, self.AT_ONCE // logits.shape[1]) if logits.device.type == "cpu" else len(logits)
        parts = [
            self.choose(part, None if uniform is None else uniform[first : first + count])
            for first, part in zip(range(0, len(logits), count), logits.split(count), strict=True)
        ]
        return torch.cat([tokens for tokens, _ in parts]), torch.cat([logprobs for _, logprobs in parts])

    def choose(self, logits: torch.Tensor, uniform: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and log-probabilities as above, at the uniform numbers [B].

        These numbers are not read with temperature 0.
        """
        logits = logits.float()
        logits.sub_(logits.amax(-1, keepdim=True))  # in place: new memory costs more than the sum
        if self.temperature == 0:
            tokens = logits.argmax(-1)
        else:
            assert uniform is not None
            tokens = self._draw((logits / self.temperature).exp_(), uniform)
        chosen = logits.gather(1, tokens[:, None])[:, 0]
        return tokens, chosen - logits.exp_().sum(-1).log_()

    def _draw(self, weights: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        if self.top_p < 1:
            weights = _nucleus(weights, self.top_p)
        rows, vocabulary = weights.shape
        padding = -vocabulary % self.BLOCK
        weights = torch.nn.functional.pad(weights, (0, padding)) if padding else weights
        blocks = weights.view(rows, -1, self.BLOCK)
        sums = blocks.sum(-1).double().cumsum(-1)
        target = uniform[:, None] * sums[:, -1:]
        block = torch.searchsorted(sums, target, right=True).clamp_(max=sums.shape[1] - 1)
        before = torch.where(block > 0, sums.gather(1, (block - 1).clamp_(min=0)), 0.0)
        inside = blocks[torch.arange(rows, device=block.device), block[:, 0]].double()
        inside_sums = inside.cumsum(-1)
        place = torch.searchsorted(inside_sums, target - before, right=True)
        # Rounding may point past the last token that has any weight: step back to it.
        last = (inside > 0).long().cumsum(-1).argmax(-1, keepdim=True)
        return (block * self.BLOCK + torch.minimum(place, last))[:, 0]


def _nucleus(weights: torch.Tensor, top_p: float) -> torch.Tensor:
    """The weights, with 0 outside the smallest set of tokens that has at least `top_p` of the mass."""
    ordered, places = weights.sort(-1, descending=True)
    mass = ordered.cumsum(-1)
    outside = (mass - ordered) >= top_p * mass[:, -1:]
    return weights.masked_fill(outside.gather(1, places.argsort(-1)), 0.0)
