"""Asking through the store: once for each answer, and the same result whatever the store held before."""

import pytest

from selfincorrect.ask import OpenedModel, ask
from selfincorrect.engines import CONTEXT, Decoding, Request, Response
from selfincorrect.prompts import Prompt
from selfincorrect.store import ResponseStore


class Engine:
    """Answers with the prompt's length; refuses what does not fit, as real engines do."""

    def __init__(self, context=None):
        self.context, self.asked = context, 0

    def answer(self, requests):
        for request in requests:
            self.asked += 1
            tokens = len(request.prompt.query)
            if self.context is not None and tokens + request.decoding.max_tokens > self.context:
                yield [(request, Response(None, request.prompt.query, CONTEXT, tokens, 0, None))]
            else:
                yield [(request, Response("x", request.prompt.query, "stop", tokens, 1, -1.0))]


REQUESTS = [Request(Prompt("", (), "q" * length), Decoding(4, 0.0, 1.0, ()), None) for length in (3, 30, 3)]


def opened(folder, context, engine):
    return OpenedModel("model", "digest", "completion", context, ResponseStore(folder), engine, {})


def run(folder, context, engine):
    return ask(REQUESTS, opened(folder, context, lambda: engine), "test")


def test_equal_requests_are_asked_once_and_stored_ones_never(tmp_path):
    first = Engine()
    responses = run(tmp_path, None, first)
    assert first.asked == 2
    assert [r.tokens_in for r in responses] == [3, 30, 3]

    def no_engine():
        pytest.fail("every answer is stored: no engine is needed")

    again = ask(REQUESTS, opened(tmp_path, None, no_engine), "test")
    assert again == responses


def test_context_counts_the_same_whatever_was_stored(tmp_path):
    fresh = run(tmp_path / "fresh", 20, Engine(20))
    run(tmp_path / "filled", 1000, Engine(1000))
    after = run(tmp_path / "filled", 20, Engine(20))
    assert fresh == after
    assert [r.finish_reason for r in fresh] == ["stop", CONTEXT, "stop"]
    assert fresh[1].text is None
    assert len(ResponseStore(tmp_path / "fresh")) == 1, "what was not sent is not stored"


def test_an_engine_that_fails_leaves_what_it_finished(tmp_path):
    class Failing(Engine):
        def answer(self, requests):
            yield next(super().answer(requests))
            raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        run(tmp_path, None, Failing())
    assert len(ResponseStore(tmp_path)) == 1
    engine = Engine()
    run(tmp_path, None, engine)
    assert engine.asked == 1
