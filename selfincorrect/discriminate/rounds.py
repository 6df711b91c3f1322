"""Asking in rounds: what is asked next may follow from what was answered."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from selfincorrect.discriminate.asked import Asked
from selfincorrect.discriminate.requests import further
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Request, Response

Key = TypeVar("Key", bound=Hashable)
Answered = list[tuple[Asked, list[Response]]]


def answered(
    cells: Mapping[Key, Sequence[Asked]],
    views: Mapping[Key, View],
    ask: Callable[[list[Request]], list[Response]],
) -> dict[Key, Answered]:
    """All that is asked in each cell, which has a view, with the responses to its requests.

    The cells are asked together, and again until no selector wants more.
    """
    asked = {key: list(cell) for key, cell in cells.items()}
    told: dict[Key, list[list[Response]]] = {key: [[] for _ in cell] for key, cell in cells.items()}
    while True:
        waiting = [
            (known, each.requests[len(known) :])
            for key, cell in asked.items()
            for each, known in zip(cell, told[key], strict=True)
        ]
        responses = iter(ask([request for _, requests in waiting for request in requests]))
        for known, requests in waiting:
            known += [next(responses) for _ in requests]
        count = sum(len(each.requests) for cell in asked.values() for each in cell)
        for key, cell in asked.items():
            selector, view = asking(views[key].variant), views[key]
            parts = [selector.more(view, each, known) for each, known in zip(cell, told[key], strict=True)]
            asked[key] = further(cell, parts, view)
        if count == sum(len(each.requests) for cell in asked.values() for each in cell):
            return {key: list(zip(cell, told[key], strict=True)) for key, cell in asked.items()}
