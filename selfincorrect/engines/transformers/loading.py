"""Loading of a prepared model and its tokenizer."""

import ctypes
import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.transformers import tokenizer
from selfincorrect.engines.transformers.diffusion import is_diffusion
from selfincorrect.errors import UserError

log = logging.getLogger("selfincorrect")

# Parameters of glibc's mallopt(3), from malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Let the C library keep the memory of tensors that are gone for the next ones; only glibc can.

    By default it gives large pieces back to the system, and every step of decoding gets them again page by
    page: that was a tenth of the time (vocabularies of 49 and 262 thousand, 192 sequences).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def load(manifest: Manifest, weights: Path, run: Running) -> tuple[Any, Any]:
    """The model (in evaluation mode, on its device) and its tokenizer.

    Raises UserError if there is no GPU where one is asked for, or the weights are gone.
    """
    if run.threads:
        torch.set_num_threads(run.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    device = run.device
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"run.device is cuda, but PyTorch {torch.__version__} sees no GPU here. "
            "Allowed: auto, cpu, cuda. Write `run: {device: cpu}`, "
            "or start the job where there is a GPU (check with nvidia-smi). A PyTorch whose version ends in "
            "+cpu sees none anywhere: where the environment is made without a GPU, write `make .venv/.run "
            "LOCK=cuda`."
        )
    if device == "auto" and not torch.cuda.is_available():
        device = "cpu"
    if not (weights / "config.json").is_file():
        raise UserError(
            f"The weights of this model are no longer in {weights.resolve()}. Delete its manifest.json under "
            "resources/models/ and run again: it is prepared anew, and no answer is lost."
        )
    if device == "cpu":
        keep_freed_memory()
    remote = manifest.trust_remote_code
    loaded = tokenizer.load(weights, remote, weights.parent)
    kind = AutoModelForSeq2SeqLM if manifest.encoder_decoder else AutoModelForCausalLM
    if is_diffusion(AutoConfig.from_pretrained(weights, trust_remote_code=remote)):
        kind = AutoModel
    try:
        model = kind.from_pretrained(
            weights,
            dtype=getattr(torch, manifest.dtype),
            device_map={"": device} if device == "cpu" else "auto",
            trust_remote_code=remote,
            use_safetensors=True,
        )
        if manifest.adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, weights.parent / "adapter").merge_and_unload()
    except (SafetensorError, ImportError, ValueError) as error:
        raise UserError(_explained(manifest.name, weights, error)) from error
    model = model.eval()
    what = "loaded %s: %.0f M parameters, %s, on %s, %d threads"
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    log.info(what, manifest.name, millions, manifest.dtype, model.device, torch.get_num_threads())
    return model, loaded


def decoder_start(model: Any) -> int:
    """The token that a decoder begins with: where a model names none, as `generate` takes it."""
    for told in (model.generation_config, model.config):
        if (token := getattr(told, "decoder_start_token_id", None)) is not None:
            return int(token)
    return int(model.generation_config.bos_token_id)


def _explained(name: str, weights: Path, error: Exception) -> str:
    """What keeps weights from being loaded, and what to do."""
    said = f"{type(error).__name__}: {str(error).strip()[:500]}"
    where = weights.resolve()
    if isinstance(error, SafetensorError):
        return f"{name}: a file of weights in {where} is damaged or cut off ({said}). Get it again."
    quantised = getattr(AutoConfig.from_pretrained(weights), "quantization_config", None)
    if quantised:
        method = quantised.get("quant_method") if isinstance(quantised, dict) else quantised
        return (
            f"{name}: its weights are quantised ({method}), and cannot be loaded here: {said}\n"
            "Install the package that this names, or let a server run the model "
            "(`engine: openai`, with vLLM or llama.cpp), or take weights that are not quantised."
        )
    return f"{name}: {where} cannot be loaded: {said}"
