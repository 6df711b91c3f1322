"""The engine for servers against a real one, `transformers serve`, with a real model."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from selfincorrect.engines.openai.engine import OpenAIEngine
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("model")]

PROMPT = Prompt("Answer in one sentence.", (), "What is the capital of France?")


@contextmanager
def transformers_serve(weights: Path, log: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(weights)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urlopen(url):
                return
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve does not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def served(prepared, tmp_path_factory):
    """The server's URL and the model's id.

    The model's generation_config asks to sample: else this server takes temperature for nothing.
    """
    folder = tmp_path_factory.mktemp("served")
    weights = folder / "weights"
    weights.mkdir()
    for path in (prepared / "weights").resolve().iterdir():
        (weights / path.name).symlink_to(path)
    settings = json.loads((weights / "generation_config.json").read_text())
    (weights / "generation_config.json").unlink()
    (weights / "generation_config.json").write_text(json.dumps(settings | {"do_sample": True}))
    with transformers_serve(weights, folder / "log") as url:
        yield url, str(weights)


def engine(served, prompt="chat"):
    url, model = served
    # One call at a time: the server's seed is one for all its calls.
    server = {"url": url, "key": None, "concurrency": 1, "requests_per_minute": None, "retries": 1}
    server |= {"timeout": 60.0, "logprobs": True}
    manifest = {"name": "served", "source": model, "prompt": prompt, "context": None, "server": server}
    return OpenAIEngine(manifest, {})


def answers(engine, requests):
    found = {id(request): response for batch in engine.answer(requests) for request, response in batch}
    return [found[id(request)] for request in requests]


def sampled():
    return [Request(PROMPT, Decoding(12, 1.0, 1.0, ()), seed) for seed in (2**62 + 1, 2**62 + 2)]


def test_greedy_chat(served):
    (response,) = answers(engine(served), [Request(PROMPT, Decoding(16, 0.0, 1.0, ("\n",)), None)])
    assert response.text == "The capital of France is Paris."
    assert (response.finish_reason, response.tokens_in, response.tokens_out, response.logprob) == (
        "stop",
        44,
        8,
        None,
    )


def test_what_the_server_cannot_do_is_named(served, caplog):
    caplog.set_level(logging.WARNING, "selfincorrect")
    responses = answers(engine(served), sampled())
    assert len({response.text for response in responses}) == 2
    lines = [record.getMessage() for record in caplog.records if record.name == "selfincorrect"]
    assert len(lines) == 2 + 4, "and the four settings that would make its draws plain"
    assert any("the server rejects top_k: if it has settings of its own" in line for line in lines)
    assert any("the server ignores n: every sample is asked for on its own" in line for line in lines)
    assert any("the server ignores logprobs: answers have no log-probability" in line for line in lines)
    assert answers(engine(served), sampled()) == responses, "it heeds seeds"


def test_plain_prompts(served):
    (response,) = answers(
        engine(served, "completion"),
        [Request(Prompt("The capital of France is", (), "the city of"), Decoding(4, 0.0, 1.0, ()), None)],
    )
    assert response.text
    assert response.finish_reason == "length"
    assert response.tokens_out == 4
