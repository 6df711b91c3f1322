"""A server with a batch API, which is looked at often, and a folder for the ledger of what waits there."""

import pytest

from selfincorrect.engines.openai import pending
from tests.support.batches import BatchServer
from tests.support.servers import serving


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(pending, "POLL", 0.01)
    with serving(BatchServer) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pending"
