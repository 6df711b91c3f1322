"""The small real model, for all tests that have its mark and its xdist group."""

import pytest

from selfincorrect.io import write_json
from selfincorrect.models.prepare import ModelSettings, prepare_model


@pytest.fixture(scope="session")
def prepared(pytestconfig):
    """The folder of SmolLM2-135M-Instruct as prepared, kept from run to run."""
    folder = pytestconfig.cache.mkdir("models") / "smollm2"
    if not (folder / "manifest.json").exists():
        settings = ModelSettings(source="catalog:smollm2-135m-instruct", prompt="chat")
        write_json(folder / "manifest.json", prepare_model("smollm2", settings, folder).told())
    return folder
