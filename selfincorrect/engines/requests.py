"""Requests, and the responses that an engine turns them into, in batches, in any order."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING as UNSET
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Protocol

from selfincorrect.digest import digest
from selfincorrect.engines.prompt import Prompt
from selfincorrect.jobs import stopping

# Why there is no answer: finish reasons of responses without a text.
CONTEXT = "context"  # the prompt does not fit the model's context
REFUSED = "refused"  # the model declined to answer
FILTERED = "filtered"  # a filter of its server let no question, or no answer, through
ERROR = "error"  # its server failed
NO_ANSWER = (CONTEXT, REFUSED, FILTERED, ERROR)

LARGEST = 2**31  # tokens: columns of tables have 32 bits


class Versions(NamedTuple):
    """The versions of an engine's greedy and of its sampled answers."""

    greedy: int
    sampled: int


FIRST = Versions(1, 1)


@dataclass(frozen=True)
class Decoding:
    """How an answer is drawn.

    Temperature 0 is greedy decoding. `stop` strings end an answer, after its thoughts, and are no part of it.
    """

    max_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One answer that is wanted. `seed` is None for greedy decoding.

    With `options` no answer is drawn: wanted is how probable each of these texts is as the answer.
    """

    prompt: Prompt
    decoding: Decoding
    seed: int | None
    options: tuple[str, ...] = ()

    def key(self, model_digest: str, mode: str, versions: Versions = FIRST) -> str:
        """The digest of everything that shapes the answer.

        That is the engine's version, the model, the rendered prompt, the decoding, and the seed.
        """
        asked: dict[str, Any] = {"prompt": self.prompt.rendered(mode), "decoding": asdict(self.decoding)}
        if self.options:  # earlier stored answers know no options
            asked["options"] = list(self.options)
        number = versions.sampled if self.decoding.temperature > 0 else versions.greedy
        return digest([number, model_digest, mode, asked, self.seed])


@dataclass(frozen=True)
class Response:
    """One answer, or why there is none.

    Numbers of tokens are None where a server does not tell them. `text` is None where there is no answer;
    `prompt` is the text as sent; `finish_reason` is "stop" (the model ended or a stop string came), "length"
    (cut at `max_tokens` or the model's own limit) or one of NO_ANSWER; `logprob` is the natural
    log-probability of the answer's tokens, without the end-of-text token, under the model at temperature 1,
    None where the engine gives none.

    `reasoning` is what a server tells apart as such, and `reasoning_tokens` how many of the tokens it was;
    `said` are a server's words on why there is no answer; `model` and `fingerprint` are what it says of
    itself. `options` are the natural log-probabilities of the request's options, None for one that a server
    does not tell. `unfinished_thought` says that the model itself never ended its thought, `seeded` that the
    request's own seed drew the answer. Prompts that are not `sent` cost nothing and are not stored.
    """

    text: str | None
    prompt: str
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    logprob: float | None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    said: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    unfinished_thought: bool = False
    seeded: bool = True
    sent: bool = True
    options: tuple[float | None, ...] | None = None

    def record(self) -> dict[str, Any]:
        """The response as it is stored, without the fields that are at their default."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.default is UNSET or getattr(self, each.name) != each.default
        }


_TEXTS = ("text", "prompt", "finish_reason", "reasoning", "said", "model", "fingerprint")
_COUNTS = ("tokens_in", "tokens_out", "reasoning_tokens")


def stored_response(value: Any) -> Response:
    """A response from its stored record.

    Raises ValueError, with what is wrong, for a record that no engine of this package has written.
    """
    if not isinstance(value, Mapping):
        raise ValueError("it is not a mapping")
    names = {each.name for each in fields(Response)}
    lacking = {each.name for each in fields(Response) if each.default is UNSET} - set(value)
    if strange := [name for name in value if name not in names]:
        raise ValueError(f"it has the field {strange[0]!r}")
    if lacking:
        raise ValueError(f"it has no field {min(lacking)!r}")
    for name, each in value.items():
        if name in _TEXTS:
            right = isinstance(each, str) or (each is None and name not in ("prompt", "finish_reason"))
        elif name in _COUNTS:
            right = each is None or (type(each) is int and 0 <= each < LARGEST)
        elif name == "logprob":
            right = each is None or _is_number(each)
        elif name == "options":
            right = isinstance(each, list | tuple) and all(one is None or _is_logprob(one) for one in each)
        else:
            right = isinstance(each, bool)
        if not right:
            raise ValueError(f"its field {name!r} is {str(each)[:40]!r}")
    options = value.get("options")
    return Response(**{**value, "options": None if options is None else tuple(options)})


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_logprob(value: Any) -> bool:
    return _is_number(value) and value <= 0


class Engine(Protocol):
    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        """Yield finished batches until every request has its response.

        Once `stop` says so, the engine begins nothing new.
        """
        ...
