"""`expected_score`: the mean of the scores from 1 to 10 that the model finds probable, each candidate alone.

Liu et al. 2023, "G-Eval" (arXiv 2303.16634), with the probabilities themselves in the place of samples.
"""

from collections.abc import Callable, Sequence
from math import fsum
from typing import Any

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.discriminate.label_scores import (
    Probabilities,
    concluded,
    ended,
    label_probabilities,
    spelled,
)
from selfincorrect.discriminate.selectors.score import Scored
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response

SCORES = tuple(str(score) for score in range(1, 11))


class ExpectedScore(Scored):
    scoring = True

    def scored(self, view: View) -> tuple[str, ...]:
        return spelled(SCORES)

    def ended(self, view: View) -> tuple[str, ...]:
        return ended(SCORES)

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """Σ g·p(g) / Σ p(g) of each candidate."""
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        found = [label_probabilities(response, SCORES) for response in responses]
        [shown] = asked.shown
        of_each = dict(zip(shown.order, found, strict=True))
        scores = {sample: _mean(each) for sample, each in of_each.items() if each.shares}
        ranges = {sample: _range(each, scores.get(sample, 0.0)) for sample, each in of_each.items()}
        return concluded(asked, scores, ranges, found)


def _mean(found: Probabilities) -> float:
    return fsum(g * (share or 0.0) for g, share in zip(range(1, 11), found.shares or [], strict=True))


def _range(found: Probabilities, mean: float) -> tuple[float, float]:
    """The mean where what is known as a bound alone is all below it, and all above."""

    def weighted(most: Callable[[int], bool]) -> float:
        weights = [
            top if most(g) else known or 0.0
            for g, known, top in zip(range(1, 11), found.known, found.most, strict=True)
        ]
        return fsum(g * weight for g, weight in enumerate(weights, 1)) / (fsum(weights) or 1.0)

    return weighted(lambda g: g < mean), weighted(lambda g: g > mean)


SELECTOR = ExpectedScore()
