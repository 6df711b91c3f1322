"""`self_certainty`: how far from even the model's predictions are along each of its answers.

Kang et al. 2025, "Scalable Best-of-N Selection for Large Language Models via Self-Certainty" (arXiv
2502.18581).
"""

from collections.abc import Sequence
from math import fsum
from typing import Any

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.discriminate.selectors.base import DISCRIMINATORS, Read
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response


class SelfCertainty(Read):
    options = DISCRIMINATORS | {"distinct", "ask"}
    why = "nothing is shown: the model reads each answer after its question"

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The mean over an answer's tokens of −(1/V) Σ ln(V·p(v)), v of the vocabulary's V entries."""
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        [shown] = asked.shown
        scores = {
            sample: mean
            for sample, turns in zip(shown.order, self.by_candidate(shown, responses), strict=True)
            if (mean := _mean(turns)) is not None
        }
        return asked.preference(scores, None, "scored" if scores else "none")


def _mean(turns: Sequence[Response]) -> float | None:
    """The mean over the tokens of all `turns`; None where one is not known, or there is no token."""
    told = [
        (each.certainties[0], each.option_tokens[0])
        for each in turns
        if each.certainties and each.option_tokens
    ]
    tokens = sum(count for _, count in told)
    known = len(told) == len(turns) and tokens
    return fsum(certainty * count for certainty, count in told) / tokens if known else None


SELECTOR = SelfCertainty()
