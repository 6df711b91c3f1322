"""`self_certainty`: how far from even the model's predictions are along each of its answers.

Kang et al. 2025, "Scalable Best-of-N Selection for Large Language Models via Self-Certainty" (arXiv
2502.18581).
"""

from collections.abc import Sequence
from typing import Any

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.discriminate.selectors.base import Alone
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import NO_ANSWER, View
from selfincorrect.engines.requests import Response


class SelfCertainty(Alone):
    scoring, continues = True, True
    options = frozenset({"distinct", "ask"})
    why = "nothing is shown: the model reads each answer after its question"

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The mean over an answer's tokens of −(1/V) Σ ln(V·p(v)), v of the vocabulary's V entries."""
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(unanswered[0]))
        [shown] = asked.shown
        scores = {
            sample: response.certainties[0]
            for sample, text, response in zip(shown.order, shown.texts, responses, strict=True)
            if response.certainties and text != NO_ANSWER
        }
        return asked.preference(scores, None, "scored" if scores else "none")


SELECTOR = SelfCertainty()
