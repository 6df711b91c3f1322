"""Does a model's attention fit the cascade? A trial tells."""

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from selfincorrect.engines.transformers.cascade import Cascade, Continuation, read_beginnings
from selfincorrect.engines.transformers.levels import NAME

TOLERANCE = {
    torch.float32: 1e-3,
    torch.bfloat16: 5e-2,
    torch.float16: 5e-2,
}  # of a trial, relative to the largest logit


@torch.inference_mode()
def fitted(model: Any) -> str | None:
    """Let `model` use this attention, if a trial gives the logits of its own one; else leave it and return the reason.

    The trial decodes a token after a beginning and a prompt. It finds models that keep more than keys and values, or
    whose attention does more than scale, mask and softmax (soft caps, sinks, biases).
    """
    if model.config.is_encoder_decoder:
        return "it is an encoder-decoder model"
    own = model.config._attn_implementation
    layers = DynamicCache(config=model.config.get_text_config()).layers
    if own != "sdpa" or not layers or not all(type(x) in (DynamicLayer, DynamicSlidingWindowLayer) for x in layers):
        return f"its attention ({own}) or its cache is of another kind"
    tokens = [(7 * i + 5) % (model.config.get_text_config().vocab_size - 1) for i in range(24)]
    try:
        expected = model(torch.tensor([tokens], device=model.device), logits_to_keep=1).logits[0, -1].float()
        model.set_attn_implementation(NAME)
        cascade = Cascade(model, read_beginnings(model, [tokens[:12]]))
        cascade.enter([Continuation(0, tokens[12:-1])], [2])
        found = cascade.forward(torch.tensor([tokens[-1]] * 2, device=model.device)).float()
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
