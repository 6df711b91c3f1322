"""A server that speaks OpenAI's protocol on this machine, and its faults, by number of the call."""

import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

WORDS = ["Paris", "Vienna", "Rome", "Oslo", "Lima", "Cairo", "Quito", "Minsk"]


Served = TypeVar("Served", bound="FaultyServer")


class FaultyServer(ThreadingHTTPServer):
    """Answers in words that depend on prompt, seed and choice.

    `faults` maps the number of a call, from 0, to what it does in place of an answer: a function of the
    handler that returns True if it has replied. `always` is one for every call. `bodies` are what was asked,
    `sent` the texts that went out in whole replies.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.handler())
        self.faults: dict[int, Fault] = {}
        self.always: Fault | None = None
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.sent: list[str] = []
        self.ignores: set[str] = set()
        self.texts: dict[str, int] = {}
        self.tokenizes = False  # as vLLM does: words are tokens, numbered, of which four are listed
        self.lock = threading.Lock()

    def handler(self) -> "type[Handler]":
        return Handler

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def choices(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """What an honest server answers, less what this one `ignores`."""
        count = 1 if "n" in self.ignores else body.get("n", 1)
        return [self._choice(body, index) for index in range(count)]

    def whole(self, body: dict[str, Any]) -> dict[str, Any]:
        """The whole reply to a call."""
        choices = self.choices(body)
        usage = {"prompt_tokens": 10, "completion_tokens": sum(choice.pop("tokens") for choice in choices)}
        with self.lock:
            self.sent += [
                choice["text"] if "text" in choice else choice["message"]["content"] for choice in choices
            ]
        return {"choices": choices, "usage": usage}

    def _choice(self, body: dict[str, Any], index: int) -> dict[str, Any]:
        prompt = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        drawn = (
            [random.random()]
            if "seed" in self.ignores
            else [body.get("seed"), 0 if "apart" in self.ignores else index]
        )
        rng = random.Random(str([prompt] if body["temperature"] == 0 else [prompt, *drawn]))
        words = [f" {rng.choice(WORDS)}" for _ in range(4)] + [".", "\n", "and", " more"]
        words = words[: body.get("max_tokens", body.get("max_completion_tokens"))]
        stops = [] if "stop" in self.ignores else body.get("stop", [])
        while any(stop in "".join(words) for stop in stops):
            words.pop()
        choice: dict[str, Any] = {"index": index, "finish_reason": "stop"}
        if "prompt" in body:
            choice["text"] = "".join(words)
            if body.get("logprobs") and "logprobs" not in self.ignores:
                choice["logprobs"] = {"tokens": words, "token_logprobs": [-0.5] * len(words)}
                if body["logprobs"] > 1:
                    choice["logprobs"]["top_logprobs"] = [self._listed(body) for _ in words]
        else:
            choice["message"] = {"role": "assistant", "content": "".join(words)}
            if body.get("logprobs") and "logprobs" not in self.ignores:
                choice["logprobs"] = {"content": [{"token": word, "logprob": -0.5} for word in words]}
                for token in choice["logprobs"]["content"] if "top_logprobs" in body else []:
                    token["top_logprobs"] = [
                        {"token": w, "logprob": p} for w, p in self._listed(body).items()
                    ]
        choice["tokens"] = len(words)
        return choice

    def tokens(self, text: str) -> list[int]:
        """A word's number; of another text that of the word it begins with, or one of its own, and more."""
        words = list(_alike())
        begins = next((number for number, word in enumerate(words) if text.startswith(word)), None)
        if begins is None:
            begins = self.texts.setdefault(text, 100 + len(self.texts))
        return [begins] if text in words else [begins, 99]

    def _listed(self, body: dict[str, Any]) -> dict[str, float]:
        """Log-probabilities of first tokens, those that are asked for by number or the first four."""
        if not self.tokenizes:
            return _alike()
        numbers = range(4) if "ids" in self.ignores else body.get("logprob_token_ids") or range(4)
        listed = {word: value for i, (word, value) in enumerate(_alike().items()) if i in numbers}
        return listed | {text: -9.0 for text, number in self.texts.items() if number in numbers}


def _alike() -> dict[str, float]:
    """Log-probabilities of first tokens: all words alike, and a ninth of it for what is not listed."""
    return {f" {word}": math.log(1 / 9) for word in WORDS}


class Handler(BaseHTTPRequestHandler):
    server: FaultyServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        self.reply(200, {"data": [{"id": f"model-{number}"} for number in range(12)]})

    def post(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokenize":
            tokens = server.tokens(body["prompt"])
            self.reply(*(200, {"tokens": tokens}) if server.tokenizes else (404, {"detail": "Not Found"}))
            return
        with server.lock:
            number = len(server.bodies)
            server.bodies.append(body)
            server.keys.append(self.headers.get("authorization"))
        for fault in (server.always, server.faults.get(number)):
            if fault and fault(self, body):
                return
        self.reply(200, server.whole(body))

    def reply(self, status: int, body: Any, **headers: str) -> None:
        self.reply_text(status, json.dumps(body), **headers)

    def reply_text(self, status: int, text: str, **headers: str) -> None:
        self.reply_bytes(status, text.encode(), **headers)

    def reply_bytes(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(data)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


Fault = Callable[[Handler, dict[str, Any]], bool]


def status(
    number: int, message: str = "no luck", headers: dict[str, str] | None = None, **error: Any
) -> Fault:
    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        handler.reply(number, {"error": {"message": message, **error}}, **(headers or {}))
        return True

    return fault


def raw(text: str) -> Fault:
    """A reply of 200 with these bytes."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        handler.reply_text(200, text)
        return True

    return fault


def rejects(name: str, code: int = 400, message: str | None = None, **error: Any) -> Fault:
    """Refuse calls that have a parameter."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        return name in body and status(code, message or f"Unsupported parameter: '{name}'", **error)(
            handler, body
        )

    return fault


def echoes_key(code: int) -> Fault:
    """Refuse with a message that repeats the key."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        return status(code, f"bad key: {handler.headers['authorization']}" + " and so on" * 60)(handler, body)

    return fault


def hangs(seconds: float) -> Fault:
    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def half_a_body(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"text": "in')
    handler.wfile.flush()
    handler.close_connection = True
    return True


def closes(handler: Handler, body: dict[str, Any]) -> bool:
    handler.close_connection = True
    return True


def forgets(place: int) -> Fault:
    """Reply with a choice whose text is missing."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        choices = handler.server.choices(body)
        choices[place]["text"] = None
        handler.reply(200, {"choices": choices})
        return True

    return fault


def long_prompts(limit: int, message: str, **error: Any) -> Fault:
    """Refuse prompts of more than `limit` characters."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        text = body["prompt"] if "prompt" in body else "".join(turn["content"] for turn in body["messages"])
        return len(text) > limit and status(400, re.sub("LENGTH", str(len(text)), message), **error)(
            handler, body
        )

    return fault


@contextmanager
def serving(kind: type[Served] = FaultyServer) -> Iterator[Served]:  # type: ignore[assignment]
    server = kind()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
