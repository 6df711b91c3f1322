"""The tokens of options, for servers that tell the probabilities of tokens by their numbers (vLLM)."""

import json
import threading
from collections.abc import Sequence

from selfincorrect.engines.openai.calls import Body, Client
from selfincorrect.engines.requests import LARGEST

MOST = 128  # numbers of a call


class TokenIds:
    """What a server's tokenizer makes of options; it is asked once for each."""

    def __init__(self, client: Client, model: str) -> None:
        self._client, self._model, self._lock = client, model, threading.Lock()
        self._known: dict[str, int] = {}
        self._none = False  # the server has no such tokenizer

    def of(self, options: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the options' first tokens, each once; none where the server does not tell."""
        with self._lock:
            found = [self._first(option) for option in options]
        ids = tuple(dict.fromkeys(each for each in found if each is not None))
        return ids if None not in found and len(ids) <= MOST else ()

    def _first(self, option: str) -> int | None:
        if option not in self._known and not self._none:
            asked = {"model": self._model, "prompt": option, "add_special_tokens": False}
            told = self._client.post("/tokenize", asked)
            tokens = _tokens(told) if isinstance(told, Body) else None
            if tokens:
                self._known[option] = tokens[0]
            self._none = not tokens
        return self._known.get(option)


def _tokens(told: Body) -> list[int] | None:
    """The numbers in a reply; None where it is none that vLLM gives."""
    try:
        tokens = json.loads(told.data)["tokens"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    fine = isinstance(tokens, list) and all(type(each) is int and 0 <= each < LARGEST for each in tokens)
    return tokens if fine else None
