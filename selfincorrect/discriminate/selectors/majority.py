"""`majority`: the most frequent answer by normal form; scores are shares of the votes."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


def vote_shares(extracted: Sequence[str | None]) -> list[float]:
    """The share of the answers that agree with each by normal form.

    An answer without a normal form agrees with no other.
    """
    votes = Counter(form for form in extracted if form is not None)
    return [(1 if form is None else votes[form]) / len(extracted) for form in extracted]


class Majority(NoModel):
    graded, standard, probabilities, votes = True, True, True, True

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        return vote_shares([each.extracted for each in candidates])


SELECTOR = Majority()
