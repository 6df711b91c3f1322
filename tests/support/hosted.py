"""The engine for servers, what it is asked, and what its answers and messages must hold.

These are helpers of tests against a server with faults.
"""

import logging
import traceback

import pytest

from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.openai.engine import OpenAIEngine
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request
from selfincorrect.errors import UserError
from selfincorrect.sections import ServerConfig

KEY = "sk-planted-0123456789"
GREEDY = Decoding(8, 0.0, 1.0, ("\n",))
SAMPLED = Decoding(8, 0.7, 1.0, ("\n",))


def engine(server, prompt="completion", key="SERVER_KEY", pending=None, **settings):
    settings = {
        "url": server if isinstance(server, str) else server.url,
        "key": key,
        "concurrency": 3,
        "requests_per_minute": None,
        "retries": 2,
        "timeout": 5.0,
        "logprobs": True,
    } | settings
    return OpenAIEngine(
        Manifest(name="hosted", source="model-1", prompt=prompt, server=ServerConfig(**settings)), pending
    )


def asked(questions=4, samples=3, decoding=SAMPLED):
    """Requests with seeds as large as they come, and without where decoding is greedy."""
    prompts = [Prompt("Answer.", (("Q: a?", "b"),), f"Q: {i}?") for i in range(questions)]
    if not decoding.temperature:
        return [Request(prompt, decoding, None) for prompt in prompts]
    return [
        Request(prompt, decoding, 2**62 + 1000 * i + j)
        for i, prompt in enumerate(prompts)
        for j in range(samples)
    ]


def answers(engine, requests):
    """The response to each request, in order, after checking that each has exactly one."""
    pairs = [pair for batch in engine.answer(requests) for pair in batch]
    assert sorted(id(request) for request, _ in pairs) == sorted(map(id, requests))
    found = {id(request): response for request, response in pairs}
    return [found[id(request)] for request in requests]


def fails(engine, requests):
    """What an engine yields before it fails, and the error; nothing it holds may show the key."""
    pairs = []
    with pytest.raises(UserError) as caught:
        pairs.extend(pair for batch in engine.answer(requests) for pair in batch)
    error = caught.value
    assert len({id(request) for request, _ in pairs}) == len(pairs)
    assert KEY not in "".join(traceback.format_exception(error))
    while error:
        assert KEY not in f"{error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
    return pairs, str(caught.value)


def misses(engine, requests, reason="error"):
    """What a server said, where no request got an answer."""
    found = answers(engine, requests)
    assert {(response.text, response.finish_reason) for response in found} == {(None, reason)}
    assert KEY not in str(found)
    return found[0].said


def warnings(caplog):
    assert KEY not in caplog.text
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def from_server(server, responses):
    """Whether every text was in a reply of the server, or is the beginning of one."""
    return all(any(text.startswith(response.text) for text in server.sent) for response in responses)
