"""Tiny models as engines, for tests of the engine."""

import psutil
import pytest


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Makes an engine for a tiny model, through prepare_model as the workflow does."""
    # Here: torch takes seconds to import, and most tests do without.
    from selfincorrect.engines.manifest import ModelSettings, Running
    from selfincorrect.engines.transformers.engine import TransformersEngine
    from selfincorrect.models.prepare import prepare_model
    from tests.support.tiny import save

    made = {}

    def make(kind, mode="completion", batch_size=3, context=None, decoding="auto"):
        if kind not in made:
            made[kind] = save(kind, tmp_path_factory.mktemp(kind))
        settings = ModelSettings(source=str(made[kind]), prompt=mode, context=context)
        prepared = tmp_path_factory.mktemp("prepared")
        manifest = prepare_model(kind, settings, prepared)
        run = Running("cpu", 1, batch_size, decoding)
        return TransformersEngine(manifest, prepared / "weights", run)

    return make


@pytest.fixture(autouse=True)
def modest(monkeypatch):
    """Continuous batching takes about a GB: to fill its usual part of the memory with zeros takes seconds."""
    from selfincorrect.engines.transformers import continuous

    share = min(continuous.SHARE["cpu"], 1e9 / psutil.virtual_memory().available)
    monkeypatch.setattr(continuous, "SHARE", {"cpu": share})
