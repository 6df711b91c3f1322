"""Rule prepare_model: a model is brought to this machine, once, and checked against what is pinned."""

from pathlib import Path

from selfincorrect.digest import digest
from selfincorrect.engines.manifest import Manifest, ModelSettings
from selfincorrect.engines.registry import engine_kind

__all__ = ["ModelSettings", "prepare_model"]

KEPT = ("source", "revision", "prompt", "engine", "dtype", "context", "trust_remote_code")
SHAPING = ("engine", "revision", "dtype", "trust_remote_code", "logprobs", "body", "adapter", "template")


def prepare_model(name: str, settings: ModelSettings, folder: Path) -> Manifest:
    """Make `folder` hold or point to a model, and return its manifest.

    The manifest's `digest` identifies the weights, tokenizer and precision: everything of the model that
    shapes an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = settings.model_dump(mode="json")
    told = {"name": name, **{key: asked[key] for key in KEPT}}
    told |= {"template": settings.template} if settings.template else {}
    told |= engine_kind(settings.engine).prepare(name, settings, folder)
    return Manifest(**told, digest=digest({key: told[key] for key in SHAPING if key in told}))
