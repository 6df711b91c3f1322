"""Engines by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfincorrect.engines.requests import Engine


def make_engine(manifest: Mapping[str, Any], folder: Path, run: Mapping[str, Any]) -> Engine:
    """The engine for a prepared model. `run` is configured, with `threads` as given to the job."""
    if manifest["engine"] == "scripted":
        from selfincorrect.engines.scripted import ScriptedEngine

        return ScriptedEngine(folder / manifest["weights"], run["batch_size"])
    if manifest["engine"] == "openai":
        from selfincorrect.engines.openai.engine import OpenAIEngine

        return OpenAIEngine(manifest, run)
    from selfincorrect.engines.transformers.engine import TransformersEngine

    return TransformersEngine(manifest, folder / manifest["weights"], run)
