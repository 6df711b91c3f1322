"""`random`: a seeded uniform draw, which tells how much luck can do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Random:
    asks, graded, slots, shared, options = False, False, False, False, frozenset[str]()
    why = "this rule asks no model"
    standard, compared = False, False

    def ties(self, candidates: Sequence["Candidate"]) -> list[int]:
        return list(range(len(candidates)))


SELECTOR = Random()
