"""`random`: a seeded uniform draw, which tells how much luck can do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Random(NoModel):
    shared = compared = False
    pointwise = True

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        return [0.0] * len(candidates)


SELECTOR = Random()
