"""`longest`: the longest text in characters; no text counts as an empty one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import NoModel
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Longest(NoModel):
    def scores(self, candidates: Sequence["Candidate"], variant: Variant) -> list[float]:
        return [float(len(each.text or "")) for each in candidates]


SELECTOR = Longest()
