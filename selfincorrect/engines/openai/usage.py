"""What a server says that its cache had of a prompt."""

from collections.abc import Callable, Mapping
from typing import Any

# Where servers say how much of a prompt their cache had, beside `prompt_tokens_details`.
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")


def cached_tokens(usage: Mapping[str, Any], count: Callable[[Any], int | None]) -> int | None:
    """How many tokens of the prompt were in the server's cache; None where it does not say.

    Most say it in the prompt's details; DeepSeek, Moonshot and Anthropic's own have fields beside. `count`
    checks a number.
    """
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    told = [details.get("cached_tokens"), *map(usage.get, _CACHED)]
    counts = [each for each in map(count, told) if each is not None]
    tokens_in = count(usage.get("prompt_tokens"))
    return None if not counts or tokens_in is None or counts[0] > tokens_in else counts[0]
