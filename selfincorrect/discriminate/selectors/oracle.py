"""`oracle`: the best grade, which is what a perfect choice would score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import NoModel
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Oracle(NoModel):
    graded, compared = True, False

    def scores(self, candidates: Sequence["Candidate"], variant: Variant) -> list[float]:
        return [float("-inf") if each.grade is None else each.grade for each in candidates]


SELECTOR = Oracle()
