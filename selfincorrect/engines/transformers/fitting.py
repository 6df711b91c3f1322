"""Which way of decoding fits a model: for the cascade, a trial tells."""

import logging
from typing import Any, Literal

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from selfincorrect.engines.transformers.attention import NAME
from selfincorrect.engines.transformers.cascade import Cascade, Continuation, read_beginnings
from selfincorrect.engines.transformers.diffusion import is_diffusion
from selfincorrect.engines.transformers.products import restore_weights, sort_weights

# How far the logits of a trial may differ, relative to the largest logit.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 5e-2}

log = logging.getLogger("selfincorrect")

Method = Literal["cascade", "continuous", "plain", "diffusion"]

# Errors of architectures that are not known here.
UNKNOWN = (TypeError, ValueError, RuntimeError, KeyError, AttributeError)


def method(model: Any, name: str, asked: str) -> Method:
    """How sequences of `model` are decoded: as `asked` if that fits, else by plain `generate`.

    The log says what and why. "auto" is continuous batching on GPUs, which keeps kernels busy there, and the
    cascade on CPUs, which saves arithmetic.
    """
    if is_diffusion(model.config):
        log.info("%s: a masked-diffusion model, whose answers are unmasked place by place", name)
        return "diffusion"
    if asked == "auto":
        asked = "continuous" if model.device.type == "cuda" else "cascade"
    if asked == "cascade":
        reason = fitted(model)
        if reason is None:
            log.info("%s: what its prompts have in common is read once (cascade attention, by trial)", name)
            return "cascade"
    elif asked == "continuous":
        reason = unusual_cache(model)
        if reason is None:
            log.info("%s: sequences are decoded by continuous batching", name)
            return "continuous"
    else:
        reason = "run.decoding is plain"
    log.info("%s: prompts are read whole, its cache is not shared: %s", name, reason)
    return "plain"


def unusual_cache(model: Any) -> str | None:
    """Why keys and values of `model` cannot be kept by anything but its own cache; None if they can."""
    if model.config.is_encoder_decoder:
        return "it is an encoder-decoder model"
    if len(set(getattr(model, "hf_device_map", {}).values())) > 1:
        return "it is spread over several devices"
    own = model.config._attn_implementation
    layers = DynamicCache(config=model.config.get_text_config()).layers
    usual = bool(layers) and all(type(x) in (DynamicLayer, DynamicSlidingWindowLayer) for x in layers)
    if own != "sdpa" or not usual:
        return f"its attention ({own}) or its cache is of another kind"
    return None


@torch.inference_mode()
def fitted(model: Any) -> str | None:
    """Let `model` use this attention, and products by sorted weights, if a trial gives its own logits.

    Else leave it as it was and return the reason. The trial decodes a token after a beginning and a prompt.
    It finds models that keep more than keys and values, whose attention does more than scale, mask and
    softmax (soft caps, sinks, biases), or that read weights past their layers.
    """
    if reason := unusual_cache(model):
        return reason
    tokens = [(7 * i + 5) % (model.config.get_text_config().vocab_size - 1) for i in range(24)]
    try:
        expected = model(torch.tensor([tokens], device=model.device), logits_to_keep=1).logits[0, -1].float()
        model.set_attn_implementation(NAME)
        sort_weights(model)
        cascade = Cascade(model, read_beginnings(model, [tokens[:12]]))
        list(cascade.enter([Continuation(0, tokens[12:-1])], [2]))
        found = cascade.forward(torch.tensor([tokens[-1]] * 2, device=model.device)).float()
        distance = float((found - expected).abs().max() / expected.abs().max())
        differs = f"a trial differs from its own attention by {distance:.2g}"
        reason = None if distance < TOLERANCE[model.dtype] else differs
    except UNKNOWN as error:
        reason = f"{type(error).__name__}: {error}"
    if reason:
        model.set_attn_implementation("sdpa")
        restore_weights(model)
    return reason
