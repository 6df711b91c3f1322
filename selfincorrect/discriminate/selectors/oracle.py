"""`oracle`: the best grade, which is what a perfect choice would score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Oracle(NoModel):
    graded, knows, pointwise, compared = True, True, True, False

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        return [float("-inf") if each.grade is None else each.grade for each in candidates]


SELECTOR = Oracle()
