"""transformers' hook for attention of our own: a pass that is given `cascade` attends as that says, others as usual."""

from typing import Any, Protocol

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"


class Attends(Protocol):
    """A way to read (`Reading`) or to decode (`Step`)."""

    def attend(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float,
        window: int | None,
    ) -> torch.Tensor:
        """`query` [batch, heads, count, size], `key` and `value` as the cache returns them; [batch, count, heads, size]."""


def _attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    scaling: float | None = None, sliding_window: int | None = None, cascade: Attends | None = None, **others: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    if cascade is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return cascade.attend(module.layer_idx, query, key, value, scale, sliding_window), None
    if sliding_window is not None:
        others["sliding_window"] = sliding_window
    return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
