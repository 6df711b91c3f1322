"""Judgements of two candidates in both orders, read as votes."""

import re
from typing import Any

# What is preferred of two that were shown: the first, the second, or neither.
_SAID = {
    1.0: re.compile(r"\[?\[?\s*(?:a|1|first|left|a\s*>+\s*b)\s*\]?\]?", re.IGNORECASE),
    0.0: re.compile(r"\[?\[?\s*(?:b|2|second|right|b\s*>+\s*a|a\s*<+\s*b)\s*\]?\]?", re.IGNORECASE),
    0.5: re.compile(r"\[?\[?\s*(?:c|tie|both|equal|draw|a\s*=+\s*b|b\s*=+\s*a)\s*\]?\]?", re.IGNORECASE),
}


def first_wins(said: Any) -> float | None:
    """1 where the first of two is preferred, 0 where the second is, 0.5 for a tie; None where nothing is."""
    found = [value for value, words in _SAID.items() if words.fullmatch(str(said).strip())]
    return found[0] if found else None


def votes_of(given: Any, swapped: Any, mapped: bool) -> tuple[float | None, float | None]:
    """The votes of two candidates, from what was preferred in the given order and in the other one.

    A tie is half a vote for both; a judgement that cannot be read is none. Where `mapped`, the second one
    names candidates in the given order too.
    """
    one, other = first_wins(given), first_wins(swapped)
    if other is not None and not mapped:
        other = 1 - other
    known = [each for each in (one, other) if each is not None]
    return (sum(known), len(known) - sum(known)) if known else (None, None)
