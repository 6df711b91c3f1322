"""What servers send as answers, checked before anything of it is kept: a field that makes no sense is left empty, its text stays."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.engines.openai.troubles import Trouble, message_of
from selfincorrect.engines.requests import ERROR, FILTERED, LARGEST, REFUSED, Decoding

# Finish reasons, in lower case, and what they are here. Others, whatever they are called, end an answer like "stop".
FINISH = {
    **dict.fromkeys(
        ("length", "max_tokens", "max_length", "model_length", "max_output_tokens", "token_limit"), "length"
    ),
    **dict.fromkeys(
        ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "blocked", "moderation"),
        FILTERED,
    ),
    **dict.fromkeys(("refusal", "tool_calls", "function_call", "tool_use"), REFUSED),
    **dict.fromkeys(("error", "abort", "aborted", "cancelled", "canceled", "malformed_function_call"), ERROR),
}
ROUNDING = 1e-3  # a log-probability so little above 0 is 0
LONGEST_NAME = 200  # characters of what a server calls itself


@dataclass(frozen=True)
class Answer:
    """One choice of a reply, without the request it answers; its fields as in `engines.Response`. `cut_thought`: a stop string that was
    sent ended it inside its thought."""

    text: str | None
    finish_reason: str
    tokens_out: int | None
    logprob: float | None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    said: str | None = None
    cut_thought: bool = False


@dataclass(frozen=True)
class Reply:
    """What one call brought. `choices` counts all choices, also those without a usable answer; `senseless` says whether a field of it
    made no sense."""

    answers: list[Answer]
    choices: int
    tokens_in: int | None
    tokens_out: int | None  # of all choices
    model: str | None = None
    fingerprint: str | None = None
    senseless: bool = False


class _Checked:
    """Checks numbers, and remembers whether one made no sense."""

    def __init__(self) -> None:
        self.senseless = False

    def count(self, value: Any) -> int | None:
        if type(value) is int and 0 <= value < LARGEST:
            return value
        self.senseless |= value is not None
        return None

    def logprob(self, value: Any) -> float | None:
        """A log-probability, finite and at most 0."""
        if type(value) in (int, float) and -LARGEST < value <= ROUNDING:  # also of integers beyond all floats
            return min(float(value), 0.0) if math.isfinite(value) else None
        self.senseless |= value is not None
        return None


def clean(text: str) -> str:
    """`text` as valid Unicode: half a pair of surrogates becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_reply(data: bytes, how: Decoding, stops: bool = True) -> Reply | Trouble:
    """The answers in a response of 200; `stops` says whether stop strings were sent. A reply without a single answer is Trouble."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return Trouble(None, f"a reply that is not JSON: {data[:2000].decode('utf-8', 'replace')}")
    told = clean(str(payload)[:2000])
    if isinstance(payload, dict) and payload.get("error"):
        return _error_inside(payload["error"])
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not isinstance(choices, list) or not choices:
        return Trouble(None, f"a reply without choices: {told}")
    check = _Checked()
    choices = sorted((c for c in choices if isinstance(c, dict)), key=lambda c: _Checked().count(c.get("index")) or 0)
    usage = payload.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    tokens_in, tokens_out = check.count(usage.get("prompt_tokens")), check.count(usage.get("completion_tokens"))
    details = usage.get("completion_tokens_details")
    thought = check.count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    alone = (tokens_out, thought) if len(choices) == 1 else (None, None)
    answers = [answer for choice in choices if (answer := _answer(choice, how, stops, alone, check))]
    if not answers:
        return Trouble(None, f"choices without text: {told}")
    # Some servers count one of n choices alone.
    counted = sum(answer.tokens_out or 0 for answer in answers)
    tokens_out = tokens_out if tokens_out is None else max(tokens_out, counted)
    name, print_ = (_name(payload.get(key)) for key in ("model", "system_fingerprint"))
    return Reply(answers, len(choices), tokens_in, tokens_out, name, print_, check.senseless)


def _error_inside(error: Any) -> Trouble:
    """An error that came as a response of 200."""
    code = error.get("code", error.get("status")) if isinstance(error, Mapping) else None
    status = code if type(code) is int and 300 <= code < 600 else None
    return Trouble(status, clean(message_of(error)), error)


def _name(value: Any) -> str | None:
    return clean(value)[:LONGEST_NAME] if isinstance(value, str) and value else None


def _answer(
    choice: Mapping[str, Any], how: Decoding, stops: bool, alone: tuple[int | None, int | None], check: _Checked
) -> Answer | None:
    """A choice as an answer, or as the reason of the model or its filter for giving none; None where the server failed."""
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    text, reasoning = _parts(message)
    given = choice.get("finish_reason")
    reason = FINISH.get(given.lower(), "stop") if isinstance(given, str) else "stop"
    tokens_out, reasoning_tokens = alone
    tokens = _tokens(choice.get("logprobs"), reason, check)
    if tokens_out is None and tokens:
        tokens_out = len(tokens)
    if reason == ERROR or choice.get("error"):
        return None
    if reason == FILTERED:
        return Answer(None, FILTERED, tokens_out, None, said=text)
    refusal = message.get("refusal")
    if not text and (reason == REFUSED or (isinstance(refusal, str) and refusal)):
        return Answer(None, REFUSED, tokens_out, None, said=clean(refusal) if isinstance(refusal, str) else str(given))
    if reason == REFUSED:
        reason = "stop"
    if text is None:
        # A model that thought until it was cut, or without coming to an answer, has answered nothing; other gaps are the server's fault.
        if reason != "length" and not reasoning:
            return None
        text = ""
    cut = stops and bool(how.stop) and reason == "stop" and (thoughts.unfinished(text) or bool(reasoning and not text))
    place = thoughts.stop_at(text, how.stop)
    if place is not None:
        text, reason = text[:place], "stop"
    return Answer(
        text, reason, tokens_out, _sum(tokens, text, place is not None), reasoning, reasoning_tokens, cut_thought=cut
    )


def _parts(message: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The text of a message and the reasoning beside it; a content may be a list of both."""
    content, texts, thought = message.get("content"), [], []
    for part in content if isinstance(content, list) else []:
        if not isinstance(part, dict):
            continue
        if part.get("type") in ("thinking", "reasoning"):
            thought.append(_flat(part.get("thinking", part.get("text", part.get("reasoning")))))
        else:
            texts.append(_flat(part.get("text")))
    beside = [message[key] for key in ("reasoning_content", "reasoning") if isinstance(message.get(key), str)]
    reasoning = "".join(thought) or next(filter(None, beside), "")
    text = clean(content) if isinstance(content, str) else "".join(texts) if texts else None
    return text, clean(reasoning) or None


def _flat(value: Any) -> str:
    """A text, or a list of parts that have one."""
    if isinstance(value, list):
        return "".join(_flat(part.get("text")) for part in value if isinstance(part, dict))
    return clean(value) if isinstance(value, str) else ""


def _tokens(logprobs: Any, reason: str, check: _Checked) -> list[tuple[str, float | None]]:
    """(token, log-probability) of a choice, without the end-of-text token, from either endpoint's form; some servers send the other's."""
    if not isinstance(logprobs, dict):
        return []
    content, values, names = logprobs.get("content"), logprobs.get("token_logprobs"), logprobs.get("tokens")
    if isinstance(content, list):
        pairs = [(each.get("token"), each.get("logprob")) for each in content if isinstance(each, dict)]
    elif isinstance(values, list):
        names = names if isinstance(names, list) and len(names) == len(values) else [None] * len(values)
        pairs = list(zip(names, values, strict=True))
    else:
        return []
    tokens = [(clean(token) if isinstance(token, str) else "", check.logprob(value)) for token, value in pairs]
    named = any(token for token, _ in tokens)
    # The end of a text is a token without one, or a mark.
    ended = (
        reason == "stop"
        and named
        and (not tokens[-1][0] or (tokens[-1][0].strip() and not thoughts.answer(tokens[-1][0])))
    )
    return tokens[:-1] if ended else tokens


def _sum(tokens: Sequence[tuple[str, float | None]], text: str, cut: bool) -> float | None:
    """The log-probability of `text`: the sum over the tokens that hold something of it, None where they do not hold all of it, or where it
    was `cut` and nothing tells which hold it."""
    if not tokens or any(value is None for _, value in tokens):
        return None
    names = [re.sub(r"[\s▁Ġ\ufffd]", "", token) for token, _ in tokens]
    wanted = len(re.sub(r"[\s▁Ġ\ufffd]", "", text))
    if not any(names):
        return None if cut else math.fsum(value or 0.0 for _, value in tokens)
    held, count = 0, 0
    while count < len(names) and held < wanted:
        held += len(names[count])
        count += 1
    return math.fsum(value or 0.0 for _, value in tokens[:count]) if held >= wanted else None
