"""`likelihood`: how probable a model finds each answer.

Of its own answers a model said so when it wrote them. About another's, or those of a pool from elsewhere, it
is asked: it reads each after its question.
"""

from collections.abc import Sequence
from math import exp, fsum
from typing import TYPE_CHECKING, Any

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.discriminate.selectors.base import DISCRIMINATORS, Given, NoModel, Read
from selfincorrect.discriminate.unanswered import missing
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate

OPTIONS = DISCRIMINATORS | {"normalise", "by"}


class Told(NoModel):
    standard, own, pointwise, options = True, True, True, NoModel.options | OPTIONS
    why = "nothing is asked: the model gave the probability of its answer when it wrote it"

    def __init__(self) -> None:
        self.asked = ReadAfterwards()

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float | None]:
        """The logarithm of each answer's probability, or its mean over the answer's tokens.

        Where answers with one normal form are added up, it is the probability, of each text once.
        """
        known = [None if each.text is None else each.logprob for each in candidates]
        scores = [
            _per(given.variant, *each) for each in zip(known, (c.tokens for c in candidates), strict=True)
        ]
        return _counted_once(given.variant, [each.text for each in candidates], scores)


class ReadAfterwards(Read):
    options = NoModel.options | OPTIONS
    why = "nothing is shown: the model reads each answer after its question"

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The same as of own answers; of a conversation the sum over its turns, each after those before."""
        if unanswered := [each for each in responses if each.options is None]:
            return asked.unread(missing(*unanswered))
        [shown] = asked.shown
        scores: list[float | None] = []
        for turns in self.by_candidate(shown, responses):
            told = [each.options[0] if each.options else None for each in turns]
            known = [each for each in told if each is not None]
            tokens = sum(each.option_tokens[0] for each in turns if each.option_tokens)
            whole = bool(turns) and len(known) == len(turns)
            scores.append(_per(view.variant, fsum(known) if whole else None, tokens))
        scores = _counted_once(view.variant, shown.texts, scores)
        found = any(score is not None for score in scores)
        return asked.preference(
            dict(zip(shown.order, scores, strict=True)), None, "scored" if found else "none"
        )


def _per(variant: Variant, logprob: float | None, tokens: int | None) -> float | None:
    """The log-probability of an answer with so many `tokens`, or of each of them."""
    if logprob is None or variant.normalise == "sum":
        return logprob
    return logprob / tokens if tokens else None


def _counted_once(
    variant: Variant, texts: Sequence[str | None], scores: Sequence[float | None]
) -> list[float | None]:
    """Scores, or, where those of answers are added up, the probability of each text at its first place."""
    if variant.by == "candidate":
        return list(scores)
    return [
        None if score is None else exp(score) if texts.index(text) == place else 0.0
        for place, (text, score) in enumerate(zip(texts, scores, strict=True))
    ]


SELECTOR = Told()
