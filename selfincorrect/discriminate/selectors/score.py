"""`score`: the model scores each candidate alone from 1 to 10, and the highest score is taken."""

from collections.abc import Sequence
from typing import Any, Literal

from selfincorrect.discriminate.asked import Asked, Part, Preference
from selfincorrect.discriminate.parse import How
from selfincorrect.discriminate.parse_score import parse_score
from selfincorrect.discriminate.selectors.base import Alone, Reasons
from selfincorrect.discriminate.unanswered import missing, thought_only
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.templates import Reply, replies

RIGHT, WRONG = "10", "2"  # in demonstrations


class Scored(Alone):
    """What selectors have in common that ask for a score from 1 to 10."""

    def reply(self, view: View) -> Reply:
        return replies().score

    def demonstrated(
        self, view: View, index: int, position: int, shown: Sequence[str], reasons: Reasons
    ) -> tuple[Part, str]:
        """One answer and its score; right and wrong answers take turns."""
        place, score = (position, RIGHT) if index % 2 == 0 else ((position + 1) % view.k, WRONG)
        return Part((place,)), self.reply(view).response.format(score=score)


class Score(Scored):
    policy: Literal["all", "undecided"] = "all"

    def read(self, view: View, asked: Asked, responses: Sequence[Response], learnt: Any = None) -> Preference:
        """The preference by scores; one that is not readable is never among the highest."""
        [shown] = asked.shown
        unanswered = [response for response in responses if response.text is None]
        if unanswered:
            why = missing(*unanswered)
            return asked.unread(why)
        scores = [parse_score(each.text or "", each.finish_reason != "length") for each in responses]
        told = " ".join("–" if score is None else str(score) for score in scores)
        if not any(score is not None for score in scores):
            how: How = "thought" if all(map(thought_only, responses)) else "none"
        else:
            how = "loose" if None in scores else "strict"
        return asked.preference(dict(zip(shown.order, scores, strict=True)), told, how)


SELECTOR = Score()
