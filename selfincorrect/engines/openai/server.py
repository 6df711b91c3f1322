"""Calls to a server: paced, repeated where that can help, without the parameters it does not take."""

import logging
import os
import random
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
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
    "logprob_token_ids": "options that are not among its likeliest tokens have no probability of their own",
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


def backoff(trouble: Trouble, failures: int) -> float:
    """The seconds to wait before a call is repeated that has failed so many times before."""
    if trouble.retry_after is not None:
        return max(trouble.retry_after, 0.0)
    longest: float = min(BACKOFF * 2**failures, LONGEST_BACKOFF)
    return longest * random.uniform(0.75, 1.0)


@dataclass(frozen=True)
class Call:
    """One call: `n` answers to a prompt, with the log-probabilities of `top` tokens in the place of each.

    With `options` wanted is how probable these are; where the server can tell it of the tokens `ids`, those
    are in the place of the most probable ones.
    """

    prompt: Prompt
    how: Decoding
    seed: int | None
    n: int = 1
    top: int = 1
    options: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Again:
    """A call that brought nothing may be made again, after so many `seconds`.

    It has not `failed` where the server only turned out not to take a parameter, which is left out now.
    """

    seconds: float
    failed: bool


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
        self.pace, self._lock = Pace(settings.requests_per_minute), threading.Lock()
        self.client = Client(self.name, self.url, self._secret, settings.timeout)

    def ask(self, call: Call, stop: threading.Event) -> Reply | Missing:
        """Make a call; it may bring fewer answers than were asked for, or tell why there are none.

        Raises UserError where no call will bring any, StoppedError once `stop` is set.
        """
        failures = 0
        while True:
            self.pace.wait(stop)
            body = self.body(call)
            self.count(1)
            found = self.client.post(self.endpoint, body)
            outcome = found if isinstance(found, Trouble) else self.read(found.data, body, call.how)
            if isinstance(outcome, Reply):
                return outcome
            then = self.verdict(outcome, body, failures)
            if isinstance(then, Missing):
                return then
            if then.failed:
                failures += 1
                again = "%s: %s; call repeated in %.1f s (%d of %d)"
                log.info(again, self.name, outcome.told, then.seconds, failures, self.retries)
                if outcome.status == 429:
                    self.pace.hold(then.seconds)
                pause(then.seconds, stop)

    def count(self, calls: int) -> None:
        with self._lock:
            self.calls += calls

    def verdict(self, trouble: Trouble, body: Mapping[str, Any], failures: int) -> Missing | Again:
        """What follows from a call that sent `body` and brought nothing, as `failures` others did before.

        Raises UserError where every call will meet the same.
        """
        if missing := reason_of(trouble, body):
            return missing
        # Another thread may have found out in the meantime: then `without` is news to this call only.
        without, needed = refused(trouble, body, self.more)
        for name in without:
            self.do_without(name, "rejects")
        if without:
            return Again(0.0, False)
        wait = backoff(trouble, failures)
        # A firewall before the server refuses single texts with 403.
        single = trouble.status == 403 and self.tokens_out and not trouble.spent
        general = trouble.general and not single
        if general or needed or wrong_limit(trouble, body) or wait > LONGEST_ASKED:
            raise UserError(self.explained(trouble, failures))
        if not trouble.passing or failures == self.retries:
            return Missing(ERROR, self.explained(trouble, failures))
        return Again(wait, True)

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

    @property
    def endpoint(self) -> str:
        return "chat/completions" if self.mode == "chat" else "completions"

    def body(self, call: Call, without: Collection[str] | None = None) -> dict[str, Any]:
        """What a call says to the server, `without` what that does not take, as far as is known by now."""
        prompt, how, top, chat = call.prompt, call.how, call.top, self.mode == "chat"
        without = self.without if without is None else without
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body: dict[str, Any] = {"model": self.model}
        body["messages" if chat else "prompt"] = prompt.rendered(self.mode)
        body |= {limit: how.max_tokens, "temperature": how.temperature}
        if how.top_p != 1.0 or "top_p" not in without:
            body["top_p"] = how.top_p
        if how.stop and "stop" not in without:
            body["stop"] = list(how.stop)
        if how.temperature > 0 and call.seed is not None and "seed" not in without:
            body["seed"] = call.seed % 2**31  # what servers take
        if self.logprobs and "logprobs" not in without:
            body["logprobs"] = True if chat else top
            if chat and top > 1:
                body["top_logprobs"] = top
        if call.ids and self.logprobs and "logprob_token_ids" not in without:
            body["logprob_token_ids"] = list(call.ids)
        if call.n > 1 and "n" not in without:
            body["n"] = call.n
        neutral = NEUTRAL | (NEUTRAL_DRAWS if how.temperature > 0 else {})
        body |= {name: value for name, value in neutral.items() if name not in without}
        return body | self.more

    def read(self, data: bytes, body: Mapping[str, Any], how: Decoding) -> Reply | Trouble:
        """What a call that sent `body` brought, counted, and without what it repeats of the key."""
        reply = read_reply(data, how, "stop" in body and "stop" not in self.more)
        paid = reply.paid if isinstance(reply, Trouble) else (reply.tokens_in or 0, reply.tokens_out or 0)
        with self._lock:
            self.tokens_in += paid[0]
            self.tokens_out += paid[1]
        if isinstance(reply, Trouble):
            return replace(reply, said=self.client.shown(reply.said))
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

    def explained(self, trouble: Trouble, failures: int) -> str:
        """What a call met, and what to look at, for a message."""
        said = f"{self.name}: the server at {self.url} answers {trouble.told}"
        if trouble.status in (401, 403):
            named = f"the key in the environment variable {self.variable}"
            key = named if self.variable else "that no key is sent"
            return f"{said}\nCheck {key}, and that it may use {self.model}."
        if trouble.status == 404:
            ids = self.client.models()
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
