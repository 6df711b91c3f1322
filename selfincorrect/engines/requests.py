"""Requests, and the responses that an engine turns them into, in batches, in any order."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING as UNSET
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple, Protocol

from selfincorrect.digest import digest
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.spent import DIGITS, Spent
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

    With `options` no answer is drawn: wanted is how probable each of these texts is to follow the prompt as
    it is rendered, blanks and all; those that are `ended`, to follow and be all of the answer or its line.
    """

    prompt: Prompt
    decoding: Decoding
    seed: int | None
    options: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    def key(self, model_digest: str, mode: str, versions: Versions = FIRST) -> str:
        """The digest of everything that shapes the answer.

        That is the engine's version, the model, the rendered prompt, the decoding, and the seed.
        """
        asked: dict[str, Any] = {"prompt": self.prompt.rendered(mode), "decoding": asdict(self.decoding)}
        if self.options:  # earlier stored answers know no options
            asked["options"] = list(self.options)
        if self.ended:
            asked["ended"] = list(self.ended)
        number = versions.sampled if self.decoding.temperature > 0 else versions.greedy
        return digest([number, model_digest, mode, asked, self.seed])


SCORED = Decoding(0, 0.0, 1.0, ())
"""How requests with options are decoded: not at all."""


@dataclass(frozen=True)
class Response:
    """One answer, or why there is none.

    Numbers of tokens are None where a server does not tell them. `text` is None where there is no answer;
    `prompt` is the text as sent; `finish_reason` is "stop" (the model ended or a stop string came), "length"
    (cut at `max_tokens` or the model's own limit) or one of NO_ANSWER; `logprob` is the natural
    log-probability of the answer's tokens, without the end-of-text token, under the model at temperature 1,
    None where the engine gives none.

    `reasoning` is what a server tells apart as such, and `reasoning_tokens` how many of the tokens it was,
    where that is known; `forced` says that its thought was closed at a budget;
    `said` are a server's words on why there is no answer; `model` and `fingerprint` are what it says of
    itself. `options` are the natural log-probabilities of the request's options, None for one that a server
    does not tell; that of such a one is at most `bound`, where it says so. `option_tokens` are the numbers of
    their tokens, `certainties` the mean over these tokens of −(1/V) Σ ln(V·p(v)) over the vocabulary's V
    entries v (Kang et al. 2025, self-certainty). `unfinished_thought` says that the model itself never ended
    its thought, `seeded` that the request's own seed drew the answer. Prompts that are not `sent` cost
    nothing and are not stored. `tokens_query` are the tokens of the prompt from its query on, None where the
    engine does not tell. `tokens_read`, `tokens_cached`, `seconds`, and, once it is stored, what is
    `spent` on it are as in `engines.spent.Spent`.
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
    option_tokens: tuple[int, ...] | None = None
    certainties: tuple[float, ...] | None = None
    bound: float | None = None
    forced: bool = False
    tokens_query: int | None = None
    tokens_read: int | None = None
    tokens_cached: int | None = None
    seconds: float | None = None
    spent: tuple[Spent, ...] = field(default=(), compare=False)

    def record(self) -> dict[str, Any]:
        """The response as it is stored, without the fields that are at their default."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.default is UNSET or getattr(self, each.name) != each.default
        }


_TEXTS = ("text", "prompt", "finish_reason", "reasoning", "said", "model", "fingerprint")
_COUNTS = ("tokens_in", "tokens_out", "reasoning_tokens", "tokens_query", "tokens_read", "tokens_cached")
_MEASURED = ("tokens_read", "tokens_cached", "seconds")
_LISTS = ("options", "option_tokens", "certainties")


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
            right = each is None or _is_count(each)
        elif name in ("logprob", "seconds"):
            right = each is None or _is_number(each)
        elif name in _LISTS:
            right = isinstance(each, list | tuple) and all(map(_CHECKS[name], each))
        elif name == "bound":
            right = _is_logprob(each)
        else:
            right = isinstance(each, bool)
        if not right:
            raise ValueError(f"its field {name!r} is {str(each)[:40]!r}")
    return Response(**{**value, **{name: tuple(value[name]) for name in _LISTS if name in value}})


def said(value: Any) -> Any:
    """A stored record without what it took, which is another each time."""
    if not isinstance(value, Mapping):
        return value
    return {name: each for name, each in value.items() if name not in _MEASURED}


def accounted(response: Response, key: str) -> Response:
    """A response that is stored under `key`, with what is spent on it."""
    spent = Spent(
        key[:DIGITS],
        response.tokens_in,
        sum(response.option_tokens or ()),
        response.tokens_read,
        response.tokens_cached,
        response.tokens_out,
        response.reasoning_tokens,
        response.seconds,
    )
    return replace(response, spent=(spent,))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_logprob(value: Any) -> bool:
    return _is_number(value) and value <= 0


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "options": lambda value: value is None or _is_logprob(value),
    "option_tokens": _is_count,
    "certainties": _is_number,
}


class Engine(Protocol):
    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        """Yield finished batches until every request has its response.

        Once `stop` says so, the engine begins nothing new.
        """
        ...
