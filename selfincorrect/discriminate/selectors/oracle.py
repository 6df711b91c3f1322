"""`oracle`: the best grade, which is what a perfect choice would score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Oracle:
    asks, graded, slots, shared, options = False, True, False, True, frozenset[str]()
    why = "this rule asks no model"
    standard, compared = False, False

    def ties(self, candidates: Sequence["Candidate"]) -> list[int]:
        values = [float("-inf") if each.grade is None else each.grade for each in candidates]
        return [index for index, value in enumerate(values) if value == max(values)]


SELECTOR = Oracle()
