"""What servers send back: answers, and errors in their many spellings."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfincorrect.engines import Decoding

FINISH = {"eos": "stop", "eos_token": "stop", "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}

# Parameters that a server may refuse, as its message names them. `n` is a letter too: only where it reads as a name.
NAMED = {name: rf"\b{name}\b" for name in ("logprobs", "seed", "top_p", "max_tokens", "stop")} | {
    "n": r"""['"`]n['"`]|\bn\s*(=|<|>|must|is |should|not |greater|parameter)|parameter:? n\b"""
}
TOO_LONG = re.compile(
    r"context[ _-]?(length|window|size)|too many tokens|(prompt|input) is too long|tokens \+ `max_new_tokens|"
    r"exceeds? .{0,40}\btokens|\btokens .{0,40}exceeds?\b",
    re.IGNORECASE,
)
PROMPT_TOKENS = [
    r"(\d+) (?:tokens )?in (?:the|your) (?:messages|prompt)",
    r"(\d+) (?:input|prompt) tokens",
    r"(?:resulted in|contains(?: at least)?|given:) (\d+) (?:`inputs` |input )?tokens",
    r"(?:requested|has) (\d+) tokens",
    r"(\d+) tokens ?[)>]",
]


@dataclass(frozen=True)
class Answer:
    """One choice of a reply, without the request it answers."""

    text: str
    finish_reason: str
    tokens_out: int | None
    logprob: float | None


@dataclass(frozen=True)
class Reply:
    """What one call brought. `choices` counts all choices, also those without a usable answer."""

    answers: list[Answer]
    choices: int
    tokens_in: int | None
    tokens_out: int | None  # of all choices


@dataclass(frozen=True)
class TooLong:
    """The prompt does not fit the model's context. `tokens_in` is 0 where the server does not say how long it is."""

    tokens_in: int


@dataclass(frozen=True)
class Trouble:
    """A call that brought nothing. `status` is None if no whole response came."""

    status: int | None
    said: str
    body: Any = None
    retry_after: float | None = None

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        if isinstance(self.body, Mapping) and self.body.get("code") == "insufficient_quota":
            return False
        return self.status is None or self.status in (408, 409, 429) or self.status >= 500


def read_reply(text: str, how: Decoding) -> Reply | Trouble:
    """The answers in a response of 200. A reply without a single answer is Trouble."""
    try:
        payload = json.loads(text)
    except ValueError:
        return Trouble(None, f"a reply that is not JSON: {text}")
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not isinstance(choices, list) or not choices:
        return Trouble(None, f"a reply without choices: {text}")
    choices = sorted((c for c in choices if isinstance(c, dict)), key=lambda c: _count(c.get("index")) or 0)
    usage = payload.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    tokens_in, tokens_out = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    read = (_answer(choice, how, tokens_out if len(choices) == 1 else None) for choice in choices)
    answers = [answer for answer in read if answer]
    if not answers:
        return Trouble(None, f"choices without text: {text}")
    return Reply(answers, len(choices), tokens_in, tokens_out)


def _answer(choice: Mapping[str, Any], how: Decoding, tokens_out: int | None) -> Answer | None:
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    reason = choice.get("finish_reason")
    reason = FINISH.get(reason, reason) if isinstance(reason, str) else "stop"
    if not isinstance(text, str):
        # A model that thought until it was cut, or was silenced, has answered nothing; other gaps are the server's fault.
        if reason not in ("length", "content_filter"):
            return None
        text = ""
    tokens = _tokens(choice.get("logprobs"))
    if tokens_out is None and tokens:
        tokens_out = len(tokens)
    places = [place for stop in how.stop if (place := text.find(stop)) >= 0]
    if places:
        text, reason = text[: min(places)], "stop"
        tokens = _until_stop(tokens, how.stop)
    return Answer(text, reason, tokens_out, _sum(tokens))


def _tokens(logprobs: Any) -> list[tuple[str, Any]]:
    """(token, log-probability) of a choice, from either endpoint's form; some servers send the other's."""
    if not isinstance(logprobs, dict):
        return []
    content = logprobs.get("content")
    if isinstance(content, list):
        return [(str(each.get("token")), each.get("logprob")) for each in content if isinstance(each, dict)]
    values = logprobs.get("token_logprobs")
    names = logprobs.get("tokens")
    if not isinstance(values, list):
        return []
    if not isinstance(names, list) or len(names) != len(values):
        names = [""] * len(values)
    return list(zip(map(str, names), values, strict=True))


def _until_stop(tokens: Sequence[tuple[str, Any]], stop: Sequence[str]) -> list[tuple[str, Any]]:
    """The tokens that a server which heeds `stop` would have drawn; none if their texts do not show where."""
    text = ""
    for count, (token, _) in enumerate(tokens, start=1):
        text += token
        if any(each in text for each in stop):
            return list(tokens[:count])
    return []


def _sum(tokens: Sequence[tuple[str, Any]]) -> float | None:
    values = [value for _, value in tokens if isinstance(value, int | float) and math.isfinite(value)]
    return math.fsum(values) if tokens and len(values) == len(tokens) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def shortened(text: str, limit: int = 500) -> str:
    text = text.strip()
    return text if len(text) <= limit else f"{text[:limit]} …"


def message_of(body: Any) -> str:
    """The words in an error's body, whatever the server calls them."""
    if isinstance(body, Mapping):
        for name in ("message", "detail", "error", "error_description"):
            if body.get(name):
                return message_of(body[name])
        return json.dumps(dict(body), ensure_ascii=False, default=str)
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)


def too_long(trouble: Trouble) -> TooLong | None:
    """`trouble` as a prompt that does not fit, if it is one."""
    body = trouble.body if isinstance(trouble.body, Mapping) else {}
    coded = "context" in f"{body.get('code')} {body.get('type')}"
    if trouble.status not in (400, 413, 422) or not (coded or TOO_LONG.search(trouble.said)):
        return None
    if tokens := _count(body.get("n_prompt_tokens")):
        return TooLong(tokens)
    found = (re.search(pattern, trouble.said, re.IGNORECASE) for pattern in PROMPT_TOKENS)
    return TooLong(next((int(match[1]) for match in found if match), 0))


def refused(trouble: Trouble, sent: Mapping[str, Any]) -> list[str]:
    """The parameters of `sent` that a server says it does not take, among those one can do without."""
    if trouble.status not in (400, 422):
        return []
    named = trouble.body.get("param") if isinstance(trouble.body, Mapping) else None
    names = [named] if named in NAMED else [name for name, words in NAMED.items() if re.search(words, trouble.said)]
    can_do_without = {"top_p": sent.get("top_p") == 1.0, "max_tokens": "messages" in sent}
    return [name for name in names if name in sent and can_do_without.get(name, True)]
