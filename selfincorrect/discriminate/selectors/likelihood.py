"""`likelihood`: how probable the model found each of its own answers when it wrote them."""

from collections.abc import Sequence
from math import exp
from typing import TYPE_CHECKING

from selfincorrect.discriminate.selectors.base import Given, NoModel
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


class Likelihood(NoModel):
    standard, own, pointwise, options = True, True, True, NoModel.options | {"normalise", "by"}
    why = "nothing is asked: the model gave the probability of its answer when it wrote it"

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float | None]:
        """The logarithm of each answer's probability, or its mean over the answer's tokens.

        Where answers with one normal form are added up, it is the probability, of each text once.
        """
        scores = [_score(each, given.variant) for each in candidates]
        if given.variant.by == "candidate":
            return scores
        texts = [each.text for each in candidates]
        return [
            None if score is None else exp(score) if texts.index(text) == place else 0.0
            for place, (text, score) in enumerate(zip(texts, scores, strict=True))
        ]


def _score(candidate: "Candidate", variant: Variant) -> float | None:
    if candidate.logprob is None or candidate.text is None:
        return None
    tokens = candidate.tokens if variant.normalise == "token" else 1
    return candidate.logprob / tokens if tokens else None


SELECTOR = Likelihood()
