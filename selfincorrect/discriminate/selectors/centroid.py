"""`centroid`: the answer that is most like the others, a vote also where answers have no normal form."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate

WORDS = 500  # of a text that are compared: the time grows with their square
SHORT = 8  # words of a normal form that is an answer, and no text of its own


class Centroid(NoModel):
    graded = True  # normal forms come with the grades

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        """The mean similarity of each candidate to the others: 1 of an equal normal form, else 0.

        Of open answers, those without a normal form or with one of more than SHORT words, ROUGE-L (F) of the
        first WORDS words.
        """
        forms = [each.extracted for each in candidates]
        known = [form for form in forms if form is not None]
        if known and max(len(form.split()) for form in known) <= SHORT:
            return [(forms.count(form) - 1) / _others(forms) if form is not None else 0.0 for form in forms]
        texts = [" ".join((each.text or "").split()[:WORDS]) for each in candidates]
        alike = [[_similarity(*sorted((one, other))) for other in texts] for one in texts]
        return [(sum(row) - row[place]) / _others(texts) for place, row in enumerate(alike)]


def _others(candidates: Sequence[Any]) -> int:
    return max(len(candidates) - 1, 1)


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # slow to import

    return RougeScorer(["rougeL"])


@cache
def _similarity(one: str, other: str) -> float:
    if one == other:
        return 1.0 if one else 0.0
    return float(_scorer().score(one, other)["rougeL"].fmeasure)


SELECTOR = Centroid()
