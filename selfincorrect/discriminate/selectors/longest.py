"""`longest`: the longest text in characters; no text counts as an empty one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Longest(NoModel):
    pointwise = True

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        return [float(len(each.text or "")) for each in candidates]


SELECTOR = Longest()
