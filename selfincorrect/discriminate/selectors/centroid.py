"""`centroid`: the answer that is most like the others, a vote also where answers have no normal form."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from selfincorrect.discriminate.selectors.base import Given, NoModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from selfincorrect.tasks.conversations import Candidate

WORDS = 500  # of a text that are compared: the time grows with their square
SHORT = 8  # words of a normal form that is an answer, and no text of its own


class Centroid(NoModel):
    central = True
    graded = True  # normal forms come with the grades

    def scores(self, candidates: Sequence["Candidate"], given: Given) -> list[float]:
        """The mean similarity of each candidate to the others: 1 of an equal normal form, else 0.

        Of open answers, those without a normal form or with one of more than SHORT words, ROUGE-L (F) of the
        first WORDS words.
        """
        forms, texts = [each.extracted for each in candidates], [each.text for each in candidates]
        others = max(len(forms) - 1, 1)
        return [
            float(row.sum() - row[place]) / others for place, row in enumerate(similarities(forms, texts))
        ]


def similarities(forms: Sequence[str | None], texts: Sequence[str | None]) -> "NDArray[np.float64]":
    """How similar each candidate is to each, [candidates, candidates]: 1 of an equal normal form, else 0; of
    open answers, by their texts.
    """
    import numpy as np  # late, since every cluster job reads this module with the workflow

    if by_form(forms):
        names = np.array([place if form is None else f"answer {form}" for place, form in enumerate(forms)])
        return np.asarray(names[:, None] == names[None, :], dtype=float)
    shown = [" ".join((text or "").split()[:WORDS]) for text in texts]
    return np.array([[_similarity(*sorted((one, other))) for other in shown] for one in shown])


def by_form(forms: Sequence[str | None]) -> bool:
    """Whether normal forms are compared, and not texts: the choice is then that of a vote."""
    known = [form for form in forms if form is not None]
    return bool(known) and max(len(form.split()) for form in known) <= SHORT


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
