"""The small real model, for all tests that have its mark and its xdist group."""

import pytest

from selfincorrect.io import write_json
from selfincorrect.models.prepare import prepare_model


@pytest.fixture(scope="session")
def prepared(pytestconfig):
    """The folder of SmolLM2-135M-Instruct as prepared, kept from run to run."""
    folder = pytestconfig.cache.mkdir("models") / "smollm2"
    if not (folder / "manifest.json").exists():
        settings = {
            "source": "catalog:smollm2-135m-instruct",
            "revision": None,
            "prompt": "chat",
            "engine": "transformers",
        }
        settings |= {"dtype": "float32", "context": None, "trust_remote_code": False}
        write_json(folder / "manifest.json", prepare_model("smollm2", settings, folder))
    return folder
