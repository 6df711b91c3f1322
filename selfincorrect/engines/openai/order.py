"""The order of calls in which a server's prefix cache helps: what begins alike comes together, once one of it
was read.

Servers keep what they read of a prompt, and read of the next one only what is new (vLLM's and SGLang's prefix
caches, llama.cpp's slots, hosted ones). Calls that are made together find nothing there of each other.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Generic, TypeVar

BLOCK = 64  # characters in common that are worth waiting for: a block of 16 tokens
Call = TypeVar("Call")


class Queue(Generic[Call]):
    """Calls that wait, each with the text of its prompt.

    A call is ready once the first one that begins like it is done.
    """

    def __init__(self, calls: Sequence[tuple[str, Call]]) -> None:
        ordered = sorted(calls, key=lambda each: each[0])
        first = _firsts([text for text, _ in ordered])
        self._held: dict[int, list[tuple[int, Call]]] = defaultdict(list)
        self._ready: deque[tuple[int | None, Call]] = deque()
        for place, (_, call) in enumerate(ordered):
            if first[place] is None:
                self._ready.append((place, call))
            else:
                self._held[first[place] or 0].append((place, call))

    def __bool__(self) -> bool:
        return bool(self._ready or self._held)

    def next(self) -> tuple[int | None, Call] | None:
        """A call that is ready, with its number; None while all that wait are held."""
        return self._ready.popleft() if self._ready else None

    def back(self, calls: Sequence[Call]) -> None:
        """Have further calls made next, for which nothing waits."""
        self._ready.extendleft((None, call) for call in reversed(calls))

    def done(self, number: int | None) -> None:
        """Have those made next that waited for a call."""
        if number is not None:
            self._ready.extendleft(reversed(self._held.pop(number, [])))


def _firsts(texts: Sequence[str]) -> list[int | None]:
    """For each of sorted texts the number of the first one that begins like it, as far as any before does;
    None where too little is alike.
    """
    found: list[int | None] = []
    nodes: list[tuple[int, int]] = []  # the beginnings of the text before: length, and the first text with it
    for place, text in enumerate(texts):
        alike = _alike(texts[place - 1], text) if place else 0
        first = place - 1
        while nodes and nodes[-1][0] > alike:
            first = nodes.pop()[1]
        if alike and (not nodes or nodes[-1][0] < alike):
            nodes.append((alike, first))
        depths = [0, *(depth for depth, _ in nodes)]
        worth = [node[1] for node, above in zip(nodes, depths, strict=False) if node[0] - above >= BLOCK]
        found.append(worth[-1] if worth else None)
    return found


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
