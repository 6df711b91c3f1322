"""Rule prepare_model: bring a model to this machine, once, checked against what the configuration pins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfincorrect.digest import digest
from selfincorrect.engines.registry import engine_kind


def prepare_model(name: str, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make `folder` hold or point to a model; return its manifest.

    The manifest's `digest` identifies the weights, tokenizer and precision: everything of the model that shapes an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = ("source", "revision", "prompt", "engine", "dtype", "context", "trust_remote_code")
    manifest = {"name": name, **{key: settings[key] for key in kept}}
    manifest |= engine_kind(settings["engine"]).prepare(name, settings, folder)
    shaping = ("engine", "revision", "dtype", "trust_remote_code", "logprobs", "body", "adapter")
    shapes = {key: manifest[key] for key in shaping if key in manifest}
    return manifest | {"digest": digest(shapes)}
