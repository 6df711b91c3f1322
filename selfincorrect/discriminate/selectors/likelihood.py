"""`likelihood`: how probable the model found each of its own answers when it wrote them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import NoModel
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Likelihood(NoModel):
    standard, own, options = True, True, frozenset({"normalise"})
    why = "nothing is asked: the model gave the probability of its answer when it wrote it"

    def scores(self, candidates: Sequence["Candidate"], variant: Variant) -> list[float | None]:
        """The logarithm of each answer's probability, or its mean over the answer's tokens."""
        return [_score(each, variant) for each in candidates]


def _score(candidate: "Candidate", variant: Variant) -> float | None:
    if candidate.logprob is None or candidate.text is None:
        return None
    tokens = candidate.tokens if variant.normalise == "token" else 1
    return candidate.logprob / tokens if tokens else None


SELECTOR = Likelihood()
