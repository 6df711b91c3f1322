"""Calls to a server: paced, repeated where that can help, without the parameters it does not take."""

import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.openai.calls import Client, Secret
from selfincorrect.engines.openai.replies import Answer, Reply, read_reply
from selfincorrect.engines.openai.troubles import Missing, Trouble, reason_of, refused, wrong_limit
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import ERROR, Decoding
from selfincorrect.errors import UserError

log = logging.getLogger("selfincorrect")

BACKOFF = 1.0  # seconds before the first repetition; they double
LONGEST_BACKOFF = 60.0
LONGEST_NAME = 200  # characters of what a server calls itself
LONGEST_ASKED = 600.0  # a server that asks to wait longer is left for another day

# What servers do to a distribution unless they are told not to. Penalties change greedy answers too.
NEUTRAL_DRAWS = {"top_k": -1, "min_p": 0.0}
NEUTRAL = {"repetition_penalty": 1.0, "repeat_penalty": 1.0}
_CUTS = (
    "if it has settings of its own that cut unlikely tokens (llama.cpp, a model's generation_config.json), "
    "they hold"
)
_PUNISHES = "if it punishes repetitions by a setting of its own, it goes on to do so"

WITHOUT = {
    "top_k": _CUTS,
    "min_p": _CUTS,
    "repetition_penalty": _PUNISHES,
    "repeat_penalty": _PUNISHES,
    "fields": "they are left empty; the texts stay",
    "n": "every sample is asked for on its own, so its prompt is read, and paid, each time",
    "logprobs": "answers have no log-probability",
    "seed": "asking again from an empty store gives other answers; stored answers stay",
    "stop": "answers are cut here, and what was written after the cut is paid",
    "max_tokens": "max_completion_tokens is sent in its place",
    "top_p": "it is 1.0, so nothing changes",
}


class StoppedError(Exception):
    """The call was given up because its answer is no longer wanted."""


class Pace:
    """A pace at which threads call one after the other, at most `per_minute` times a minute."""

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Wait until it is this thread's turn. Raises StoppedError once `stop` is set."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        pause(turn - time.monotonic(), stop)

    def hold(self, seconds: float) -> None:
        """Let no thread call for `seconds`."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def pause(seconds: float, stop: threading.Event) -> None:
    if stop.wait(max(seconds, 0.0)):
        raise StoppedError


class Server:
    """One model at one server.

    `without` are the parameters that it turned out not to take; they are no longer sent. `calls`, `tokens_in`
    and `tokens_out` are totals as the server reports them, for costs.
    """

    def __init__(self, manifest: Manifest) -> None:
        settings = manifest.server
        assert settings
        self.name, self.model, self.mode = manifest.name, str(manifest.source), manifest.prompt
        self.url, self.variable = settings.url, settings.key
        self.retries, self.logprobs = settings.retries, settings.logprobs
        self.more = settings.body
        self.without: set[str] = set()
        self._named: set[str] = set()
        self.calls = self.tokens_in = self.tokens_out = 0
        self._secret = Secret(_key(self.name, self.variable) if self.variable else None)
        self._pace, self._lock = Pace(settings.requests_per_minute), threading.Lock()
        self._client = Client(self.name, self.url, self._secret, settings.timeout)

    def ask(
        self, prompt: Prompt, how: Decoding, seed: int | None, n: int, stop: threading.Event, top: int = 1
    ) -> Reply | Missing:
        """Ask for `n` answers to a prompt; it may bring fewer, or tell why there are none.

        The log-probabilities of `top` tokens in the place of each are asked for.

        Raises UserError where no call will bring any, StoppedError once `stop` is set.
        """
        failures = 0
        while True:
            self._pace.wait(stop)
            body = self._body(prompt, how, seed, n, top)
            outcome = self._send(body, how)
            if isinstance(outcome, Reply):
                return outcome
            if missing := reason_of(outcome, body):
                return missing
            # Another thread may have found out in the meantime: then `without` is news to this call only.
            without, needed = refused(outcome, body, self.more)
            for name in without:
                self.do_without(name, "rejects")
            if without:
                continue
            wait = min(BACKOFF * 2**failures, LONGEST_BACKOFF) * random.uniform(0.75, 1.0)
            if outcome.retry_after is not None:
                wait = max(outcome.retry_after, 0.0)
            # A firewall before the server refuses single texts with 403.
            single = outcome.status == 403 and self.tokens_out and not outcome.spent
            general = outcome.general and not single
            if general or needed or wrong_limit(outcome, body) or wait > LONGEST_ASKED:
                raise UserError(self._explained(outcome, failures))
            if not outcome.passing or failures == self.retries:
                return Missing(ERROR, self._explained(outcome, failures))
            failures += 1
            again = "%s: %s; call repeated in %.1f s (%d of %d)"
            log.info(again, self.name, outcome.told, wait, failures, self.retries)
            if outcome.status == 429:
                self._pace.hold(wait)
            pause(wait, stop)

    def do_without(self, name: str, how: str) -> None:
        """Send a parameter no longer, since the server `how` ("rejects") it."""
        self.without.add(name)
        self.notice(name, how)

    def notice(self, name: str, how: str) -> None:
        """Log, the first time, that the server `how` ("ignores") a parameter, and what follows."""
        with self._lock:
            news = name not in self._named
            self._named.add(name)
        if news:
            log.warning("%s: the server %s %s: %s", self.name, how, name, WITHOUT[name])

    def _body(self, prompt: Prompt, how: Decoding, seed: int | None, n: int, top: int) -> dict[str, Any]:
        chat, without = self.mode == "chat", self.without
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body: dict[str, Any] = {"model": self.model}
        body["messages" if chat else "prompt"] = prompt.rendered(self.mode)
        body |= {limit: how.max_tokens, "temperature": how.temperature}
        if how.top_p != 1.0 or "top_p" not in without:
            body["top_p"] = how.top_p
        if how.stop and "stop" not in without:
            body["stop"] = list(how.stop)
        if how.temperature > 0 and seed is not None and "seed" not in without:
            body["seed"] = seed % 2**31  # what servers take
        if self.logprobs and "logprobs" not in without:
            body["logprobs"] = True if chat else top
            if chat and top > 1:
                body["top_logprobs"] = top
        if n > 1 and "n" not in without:
            body["n"] = n
        neutral = NEUTRAL | (NEUTRAL_DRAWS if how.temperature > 0 else {})
        body |= {name: value for name, value in neutral.items() if name not in without}
        return body | self.more

    def _send(self, body: Mapping[str, Any], how: Decoding) -> Reply | Trouble:
        """Call once, and take out of the answers what they repeat of the key."""
        with self._lock:
            self.calls += 1
        outcome = self._client.post("chat/completions" if self.mode == "chat" else "completions", body)
        if isinstance(outcome, Trouble):
            return outcome
        reply = read_reply(outcome.data, how, "stop" in body and "stop" not in self.more)
        paid = reply.paid if isinstance(reply, Trouble) else (reply.tokens_in or 0, reply.tokens_out or 0)
        with self._lock:
            self.tokens_in += paid[0]
            self.tokens_out += paid[1]
        if isinstance(reply, Trouble):
            return replace(reply, said=self._client.shown(reply.said))
        if reply.senseless:
            self.notice("fields", "sends token counts or log-probabilities that make no sense in its")
        return replace(
            reply,
            answers=[self._scrubbed(answer) for answer in reply.answers],
            model=reply.model and self._secret.scrubbed(reply.model)[:LONGEST_NAME],
            fingerprint=reply.fingerprint and self._secret.scrubbed(reply.fingerprint)[:LONGEST_NAME],
        )

    def _scrubbed(self, answer: Answer) -> Answer:
        def hidden(text: str | None) -> str | None:
            return self._secret.scrubbed(text) if text and not self._secret.is_placeholder else text

        return replace(
            answer, text=hidden(answer.text), reasoning=hidden(answer.reasoning), said=hidden(answer.said)
        )

    def _explained(self, trouble: Trouble, failures: int) -> str:
        said = f"{self.name}: the server at {self.url} answers {trouble.told}"
        if trouble.status in (401, 403):
            named = f"the key in the environment variable {self.variable}"
            key = named if self.variable else "that no key is sent"
            return f"{said}\nCheck {key}, and that it may use {self.model}."
        if trouble.status == 404:
            ids = self._client.models()
            listed = f"It has: {', '.join(ids)}."
            known = listed if ids else "It lists no models: check the URL, which often ends in /v1."
            return f"{said}\nCheck the model's id there, {self.model}. {known}"
        if trouble.passing:
            tries = f" ({failures + 1} times)" if failures else ""
            return f"{self.name}: the server at {self.url} gives no answer{tries}: {trouble.told}"
        prompts = "chat messages" if self.mode == "chat" else "plain prompts"
        return (
            f"{said}\nCheck that {self.model} takes {prompts} and this decoding "
            "(`sampling`, `answer_tokens`, `prompt`, `server.body` in the configuration)."
        )


def _key(name: str, variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(
            f"{name}: the environment variable {variable} is not set; "
            "it holds the key of the model's server.\n"
            f"Run `export {variable}=…` in the shell you start from, "
            "or write `key: null` if the server wants none."
        )
    # Libraries quote a header that they cannot send.
    if not (key.isascii() and key.isprintable()):
        raise UserError(
            f"{name}: the environment variable {variable} does not hold a key, but characters no key has."
        )
    return key
