"""The hook of transformers for attention of this package's own.

A pass that is given `cascade` attends as that says, others as usual.
"""

from typing import Any, Protocol

from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "selfincorrect_cascade"


class Attends(Protocol):
    """A way to read (`Reading`) or to decode (`Step`)."""

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None
    ) -> Tensor:
        """What `query` [batch, heads, count, size] meets: [batch, count, heads, size].

        `key` and `value` are as the cache returns them.
        """


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cascade: Attends | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    if cascade is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return cascade.attend(module.layer_idx, query, key, value, scale, sliding_window), None
    if sliding_window is not None:
        others["sliding_window"] = sliding_window
    return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **others)


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
