"""`random`: a seeded uniform draw, which tells how much luck can do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import NoModel
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Random(NoModel):
    shared = compared = False

    def scores(self, candidates: Sequence["Candidate"], variant: Variant) -> list[float]:
        return [0.0] * len(candidates)


SELECTOR = Random()
