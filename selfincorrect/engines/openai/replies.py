"""What servers send as answers, checked before anything of it is kept.

A field that makes no sense is left empty; the text of its answer stays.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.engines.openai.options import Top, read_top
from selfincorrect.engines.openai.troubles import Trouble, message_of
from selfincorrect.engines.openai.usage import cached_tokens
from selfincorrect.engines.requests import ERROR, FILTERED, LARGEST, REFUSED, Decoding

# Finish reasons and what they are here. Others, whatever they are called, end an answer like "stop".
_FINISH = {
    "length": r"length|max_length|model_length|max_(?:output_)?tokens|token_limit|"
    r"model_context_window_exceeded",
    FILTERED: r"content_?filter.*|.*safety|recitation|prohibited_content|blocklist|spii|blocked|moderation|"
    r"sensitive|guardrail_intervened",
    REFUSED: r"refusal|tool_calls|function_call|tool_use",
    ERROR: r"error|aborted|abort|cancell?ed|malformed_function_call|insufficient_system_resource|"
    r"network_error|other",
}
ROUNDING = 1e-3  # a log-probability so little above 0 is 0
LONGEST_WORDS = 100_000  # characters of a reply that cannot be read, before a key in it is looked for
DEEPEST = 8  # lists of parts in a message's content


@dataclass(frozen=True)
class Answer:
    """One choice of a reply, without the request it answers.

    Its fields are as in `engines.requests.Response`. `cut_thought` says that a stop string that was sent
    ended it inside its thought; `place` is that among the choices, `top` are those of its first token.
    """

    text: str | None
    finish_reason: str
    tokens_out: int | None
    logprob: float | None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    said: str | None = None
    cut_thought: bool = False
    place: int = 0
    top: Top = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What one call brought.

    `choices` counts all choices, also those without a usable answer; `senseless` says whether a field of it
    made no sense.
    """

    answers: list[Answer]
    choices: int
    tokens_in: int | None
    tokens_out: int | None  # of all choices
    tokens_cached: int | None  # of the prompt, in the server's cache
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
        """The value as a log-probability, finite and at most 0; None if it is none."""
        if type(value) in (int, float) and -LARGEST < value <= ROUNDING:  # also of integers beyond all floats
            return min(float(value), 0.0) if math.isfinite(value) else None
        self.senseless |= value is not None
        return None


def clean(text: str) -> str:
    """The `text` as valid Unicode: half a pair of surrogates becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_reply(data: bytes, how: Decoding, stops: bool = True) -> Reply | Trouble:
    """The answers in a response with status 200; `stops` says whether stop strings were sent.

    A reply without a single answer is Trouble.
    """
    try:
        payload = json.loads(data.decode("utf-8", "replace"), strict=False, parse_int=whole_number)
    except (ValueError, RecursionError):
        return Trouble(None, f"a reply that is not JSON: {data[:LONGEST_WORDS].decode('utf-8', 'replace')}")
    told = clean(str(payload)[:LONGEST_WORDS])
    if isinstance(payload, dict) and payload.get("error"):
        return _error_inside(payload["error"])
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not isinstance(choices, list) or not choices:
        return Trouble(None, f"a reply without choices: {told}")
    check = _Checked()
    choices = [choice for choice in choices if isinstance(choice, dict)]
    choices.sort(key=lambda choice: _Checked().count(choice.get("index")) or 0)
    usage = payload.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    counted = [check.count(usage.get(f"{kind}_tokens")) for kind in ("prompt", "completion", "total")]
    tokens_in, tokens_out, total = counted
    details = usage.get("completion_tokens_details")
    thought = check.count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    if tokens_out is not None and tokens_in is not None and total is not None:
        tokens_out = max(tokens_out, total - tokens_in)  # some leave thoughts out of the completion
    alone = (tokens_out, thought) if len(choices) == 1 else (None, None)
    cached = cached_tokens(usage, check.count)
    read = enumerate(_answer(choice, how, stops, alone, check) for choice in choices)
    answers = [replace(answer, place=place) for place, answer in read if answer]
    if not answers:
        return Trouble(None, f"choices without text: {told}", paid=(tokens_in or 0, tokens_out or 0))
    # Some servers count one of n choices alone, or none.
    tokens_out = max(tokens_out or 0, sum(answer.tokens_out or 0 for answer in answers)) or tokens_out
    name, print_ = (_name(payload.get(key)) for key in ("model", "system_fingerprint"))
    return Reply(answers, len(choices), tokens_in, tokens_out, cached, name, print_, check.senseless)


def _error_inside(error: Any) -> Trouble:
    """The Trouble of an error that came in a response with status 200."""
    code = error.get("code", error.get("status")) if isinstance(error, Mapping) else None
    status = code if type(code) is int and 300 <= code < 600 else None
    return Trouble(status, clean(message_of(error)), error)


def finish_reason(given: Any) -> str:
    """What a server's finish reason is called here."""
    name = given.lower() if isinstance(given, str) else ""
    return next((reason for reason, names in _FINISH.items() if re.fullmatch(names, name)), "stop")


def whole_number(digits: str) -> float:
    """A whole number in JSON; one of more digits than any count has is infinite."""
    return int(digits) if len(digits) < 1000 else math.inf


def _name(value: Any) -> str | None:
    return clean(value) if isinstance(value, str) and value else None


def _answer(
    choice: Mapping[str, Any],
    how: Decoding,
    stops: bool,
    alone: tuple[int | None, int | None],
    check: _Checked,
) -> Answer | None:
    """A choice as an answer, or as the reason of the model or its filter for giving none.

    It is None where the server failed.
    """
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    text, reasoning = _parts(message)
    given = choice.get("finish_reason")
    reason = finish_reason(given)
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
        said = clean(refusal) if isinstance(refusal, str) else str(given)
        return Answer(None, REFUSED, tokens_out, None, said=said)
    if reason == REFUSED:
        reason = "stop"
    if text is None:
        # A model that thought until it was cut, or without coming to an answer, has answered nothing; other
        # gaps are the server's fault.
        if reason != "length" and not reasoning:
            return None
        text = ""
    cut = stops and bool(how.stop) and reason == "stop"
    cut = cut and (thoughts.unfinished(text) or bool(reasoning and not text))
    place = thoughts.stop_at(text, how.stop)
    if place is not None:
        text, reason = text[:place], "stop"
    logprob = _sum(tokens, text, place is not None, bool(reasoning) or not text)
    top = read_top(choice.get("logprobs"), _piece, check.logprob)
    return Answer(text, reason, tokens_out, logprob, reasoning, reasoning_tokens, cut_thought=cut, top=top)


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


def _flat(value: Any, depth: int = 0) -> str:
    """The text of a value that is one, or of a list of parts that have one."""
    if isinstance(value, list) and depth < DEEPEST:
        return "".join(_flat(part.get("text"), depth + 1) for part in value if isinstance(part, dict))
    return clean(value) if isinstance(value, str) else ""


def _tokens(logprobs: Any, reason: str, check: _Checked) -> list[tuple[bytes, float | None]]:
    """(bytes of a token, log-probability) of a choice, without the end-of-text token.

    They are read from either endpoint's form, since some servers send the other's.
    """
    if not isinstance(logprobs, dict):
        return []
    content, values, names = logprobs.get("content"), logprobs.get("token_logprobs"), logprobs.get("tokens")
    if isinstance(content, list):
        named = [each for each in content if isinstance(each, dict)]
        pairs = [(_piece(each.get("token"), each.get("bytes")), each.get("logprob")) for each in named]
    elif isinstance(values, list):
        names = names if isinstance(names, list) and len(names) == len(values) else [None] * len(values)
        pairs = [(_piece(name, None), value) for name, value in zip(names, values, strict=True)]
    else:
        return []
    tokens = [(piece, check.logprob(value)) for piece, value in pairs]
    last = tokens[-1][0].decode("utf-8", "replace") if tokens else ""
    # The end of a text is a token without one, or a mark.
    ended = reason == "stop" and any(piece for piece, _ in tokens)
    if ended and (not last or (last.strip() and not thoughts.answer(last))):
        return tokens[:-1]
    return tokens


def _piece(token: Any, given: Any) -> bytes:
    """The bytes of a token, which may be a part of a character; none where only its number is told."""
    if isinstance(given, list) and all(type(each) is int and 0 <= each < 256 for each in given):
        return bytes(given)
    if not isinstance(token, str) or token.startswith("token_id:"):
        return b""
    escaped = re.fullmatch(r"bytes:((?:\\x[0-9a-f]{2})+)", token)
    return bytes.fromhex(escaped[1].replace("\\x", "")) if escaped else clean(token).encode()


def _sum(tokens: Sequence[tuple[bytes, float | None]], text: str, cut: bool, thought: bool) -> float | None:
    """The log-probability of `text`, from the tokens of its reply.

    Tokens of a `thought` before it, or of what follows where it was `cut`, are not counted. It is None where
    they cannot be told apart, or do not hold all of the text.
    """
    values = [value for _, value in tokens if value is not None]
    if not tokens or len(values) < len(tokens):
        return None
    pieces, wanted = [_squeezed(piece) for piece, _ in tokens], _squeezed(text.encode())
    if not any(pieces):  # without names
        return None if cut or thought else math.fsum(values)
    whole = b"".join(pieces)
    if thought:
        places = range(len(pieces) if wanted and whole.endswith(wanted) else 0)
        starts = [place for place in places if b"".join(pieces[place:]) == wanted]
        return math.fsum(values[starts[-1] :]) if starts and not cut else None
    if not cut and not whole.startswith(wanted):
        return math.fsum(values) if len(whole) >= len(wanted) else None
    if not cut and whole == wanted and text[-1:].isspace():
        return math.fsum(values)
    held, count = 0, 0  # behind the text may be (a part of) a stop string
    while count < len(pieces) and held < len(wanted):
        held += len(pieces[count])
        count += 1
    return math.fsum(values[:count]) if held >= len(wanted) else None


def _squeezed(text: bytes) -> bytes:
    """The text without blanks, which servers and tokenizers write in ways of their own."""
    return re.sub(rb"\s|\xe2\x96\x81|\xc4\xa0|\xef\xbf\xbd", b"", text)
