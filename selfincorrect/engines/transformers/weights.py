"""The weights and the tokenizer of a model in the form that is loaded, and what its configuration says."""

import functools
import logging
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from selfincorrect.engines.manifest import ModelSettings
from selfincorrect.errors import UserError
from selfincorrect.links import remove

log = logging.getLogger("selfincorrect")


def convert_gguf(fetch: Callable[[Path], None], target: Path) -> None:
    """Have a GGUF file fetched, and write it to `target` as safetensors with tokenizer and chat template.

    The weights are float32.
    """
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    # transformers opens the file three times, and each time reading a vocabulary of 262,144 tokens takes
    # 10 s.
    reader = functools.cache(gguf.GGUFReader)
    with (
        tempfile.TemporaryDirectory(prefix=".gguf-", dir=target.parent) as temporary,
        mock.patch.object(gguf, "GGUFReader", reader),
    ):
        file = Path(temporary) / "model.gguf"
        fetch(file)
        log.info("convert to safetensors: tokenizer, then weights")
        tokenizer = AutoTokenizer.from_pretrained(temporary, gguf_file=file.name)
        model = AutoModelForCausalLM.from_pretrained(
            temporary,
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
        made = Path(temporary) / "weights"
        model.save_pretrained(made)
        tokenizer.save_pretrained(made)
        remove(target)
        os.replace(made, target)


def keep_tokenizer(name: str, weights: Path, settings: ModelSettings, folder: Path) -> None:
    from selfincorrect.engines.transformers import tokenizer

    try:
        tokenizer.keep(weights, settings.trust_remote_code, folder)
    except (ValueError, OSError) as error:
        raise UserError(f"{name}: the tokenizer of {weights.resolve()} cannot be used: {error}") from error


def architecture(name: str, weights: Path, settings: ModelSettings) -> dict[str, Any]:
    from transformers import AutoConfig

    if not list(weights.glob("*.safetensors")):
        raise UserError(
            f"{name}: {weights.resolve()} holds no *.safetensors. Pickled weights are not read; "
            "convert them with save_pretrained (transformers writes safetensors) "
            "and point `source` to the result."
        )
    try:
        config = AutoConfig.from_pretrained(weights, trust_remote_code=settings.trust_remote_code)
    except Exception as error:  # whatever is wrong in it, and there are many kinds of error
        own = "trust_remote_code" in str(error) and not settings.trust_remote_code
        hint = "\nIt comes with code of its own: read it, and write `trust_remote_code: true`." if own else ""
        raise UserError(
            f"{name}: {weights.resolve()} cannot be used: {type(error).__name__}: {str(error)[:500]}{hint}"
        ) from error
    text = config.get_text_config()
    limit = getattr(text, "max_position_embeddings", None)
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise UserError(
            f"{name}: config.json in {weights.resolve()} says max_position_embeddings: {limit!r}. "
            "Mend it, or set `context`."
        )
    limits = [each for each in (limit, settings.context) if each]
    return {
        "architecture": (config.architectures or [config.model_type])[0],
        "encoder_decoder": bool(config.is_encoder_decoder),
        "context": min(limits, default=None),
        "size": _size(weights, config),
    }


def _size(weights: Path, config: Any) -> dict[str, Any] | None:
    """What `engines.size.Size` is made of; None for damaged weights, of which loading says what is wrong."""
    from safetensors import SafetensorError

    try:
        return {"parameters": _parameters(weights), "attention": _attention(config)}
    except SafetensorError:
        log.warning("%s: weights cannot be read to count their parameters", weights.resolve())
        return None


def _parameters(weights: Path) -> int:
    """How many numbers the weights are."""
    from safetensors import safe_open

    count = 0
    for path in weights.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            count += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return count


def _attention(config: Any) -> list[list[int | None]]:
    """What `engines.size.Size` says of attention; nothing of an encoder-decoder or where it is not known."""
    text = config.get_text_config()
    names = ("num_hidden_layers", "num_attention_heads", "hidden_size")
    layers, heads, hidden = (getattr(text, name, None) for name in names)
    if config.is_encoder_decoder or not layers or not heads or not hidden:
        return []
    width, near = heads * (getattr(text, "head_dim", None) or hidden // heads), 0
    window, kinds = getattr(text, "sliding_window", None), getattr(text, "layer_types", None)
    if window and kinds:
        near = sum(kind == "sliding_attention" for kind in kinds)
    far = sum(kind == "full_attention" for kind in kinds) if kinds else layers
    return [pair for pair in ([window if near else None, near * width], [None, far * width]) if pair[1]]
