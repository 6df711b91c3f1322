"""A server with faults, and an engine that does not wait long."""

import logging

import pytest

from selfincorrect.engines.openai import server as calls
from tests.support.hosted import KEY
from tests.support.servers import serving


@pytest.fixture(autouse=True)
def quick(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(calls, "BACKOFF", 0.01)
    monkeypatch.setenv("SERVER_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    with serving() as server:
        yield server
