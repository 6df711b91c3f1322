"""The engine for servers: a model is an id there, and its key a variable of the environment."""

import os
from pathlib import Path
from typing import Any

from selfincorrect.engines.kind import EngineKind
from selfincorrect.engines.manifest import Manifest, ModelSettings, Running
from selfincorrect.engines.requests import Engine, Versions
from selfincorrect.errors import UserError


def prepare(name: str, settings: ModelSettings, folder: Path) -> dict[str, Any]:
    """Raises UserError if the key is not there, before anything waits for it."""
    key = settings.key
    if key and not os.environ.get(key):
        raise UserError(
            f"{name}: the environment variable {key} is not set. It holds the key of the model's server: "
            f"export {key}=…, or remove `key` from its `server` section if it needs none."
        )
    # The server's address is no part of it: the same model moves from host to host.
    identity = f"{settings.source}@{settings.revision or 'served'}"
    told: dict[str, Any] = {"revision": identity, "encoder_decoder": False, "dtype": "as served"}
    told["logprobs"] = settings.logprobs  # an answer without them is another one
    return told | ({"body": settings.body} if settings.body else {})


def open_engine(manifest: Manifest, folder: Path, run: Running) -> Engine:
    from selfincorrect.engines.openai.engine import OpenAIEngine

    return OpenAIEngine(manifest, run.pending)


# 2: sampled answers are drawn from the whole distribution, whatever cuts a server makes by itself.
ENGINE = EngineKind("served", prepare, open_engine, Versions(1, 2), options=True)
