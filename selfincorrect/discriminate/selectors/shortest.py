"""`shortest`: the shortest text in characters; no text counts as an empty one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Shortest:
    asks, graded, slots, shared, options = False, False, False, True, frozenset[str]()
    why = "this rule asks no model"
    standard, compared = False, True

    def ties(self, candidates: Sequence["Candidate"]) -> list[int]:
        lengths = [len(each.text or "") for each in candidates]
        return [index for index, length in enumerate(lengths) if length == min(lengths)]


SELECTOR = Shortest()
