"""How probable options are, from the most probable first tokens that a server lists."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from selfincorrect.engines.requests import Decoding, Request

TOP = 20  # tokens that are asked for: the most that hosted servers list
# Some servers tell probabilities as they draw: temperature 1 leaves them as they are.
ONE_TOKEN = Decoding(1, 1.0, 1.0, ())

Top = Mapping[bytes, float]  # log-probabilities of first tokens


def read_top(logprobs: Any, piece: Any, logprob: Any) -> dict[bytes, float]:
    """The first token's alternatives in the log-probabilities of a choice; empty where there are none.

    `piece` and `logprob` read a token and a number as the rest of a reply is read.
    """
    if not isinstance(logprobs, dict):
        return {}
    content, listed = logprobs.get("content"), logprobs.get("top_logprobs")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        listed = content[0].get("top_logprobs")
    elif isinstance(listed, list):
        listed = listed[0] if listed else None
    if isinstance(listed, dict):
        pairs = [(piece(token, None), value) for token, value in listed.items()]
    elif isinstance(listed, list):
        named = [each for each in listed if isinstance(each, dict)]
        pairs = [(piece(each.get("token"), each.get("bytes")), each.get("logprob")) for each in named]
    else:
        return {}
    found = {token: logprob(value) for token, value in pairs if token}
    return {token: value for token, value in found.items() if value is not None}


def scored(request: Request, top: Top, by_number: bool = False) -> tuple[tuple[float | None, ...], float]:
    """The log-probability of each option that is listed as one token, and what others have at most.

    Whether an option whose end counts ends there, no server tells: it is known only where each that it begins
    is listed beside it. Where the options' first tokens were asked for `by_number`, the list has them, and
    not the most probable ones: an option of several tokens is at most as probable as what it begins with.
    """
    known = [top.get(option.encode()) for option in request.options]
    rest = 1 - math.fsum(math.exp(value) for value in top.values())
    left = math.log(rest) if rest > 0 else -math.inf
    if by_number:
        unknown = [o for o, value in zip(request.options, known, strict=True) if value is None]
        bound = max((_beginning(option, top, left) for option in unknown), default=left)
    else:
        bound = min(min(top.values()), left)
    for place, option in enumerate(request.options):
        if option in request.ended and not _told_apart(option, request.options, known):
            bound = max(bound, known[place] or bound)
            known[place] = None
    return tuple(known), max(bound, -1e6)


def _beginning(option: str, top: Top, left: float) -> float:
    """What an option has at most: as much as a listed token that it begins with, else what is `left`."""
    encoded = option.encode()
    return max((value for token, value in top.items() if token and encoded.startswith(token)), default=left)


def _told_apart(option: str, options: Sequence[str], known: Sequence[float | None]) -> bool:
    stem = option.rstrip(")")
    longer = [place for place, other in enumerate(options) if other != option and other.startswith(stem)]
    return all(known[place] is not None for place in longer)
