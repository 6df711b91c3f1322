"""What is asked about one question, and the preference among its candidates that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfincorrect.discriminate.parse import Chosen, How
from selfincorrect.engines.requests import Request
from selfincorrect.tasks.base import Question


@dataclass(frozen=True)
class Shown:
    """The candidates of a question in one order.

    These are the samples, their texts, and one request about all, or one about each.
    """

    order: tuple[int, ...]
    texts: tuple[str, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Asked:
    """A question, and its candidates in each order that a variant shows."""

    question: Question
    shown: tuple[Shown, ...]

    @property
    def requests(self) -> list[Request]:
        """All requests, order by order."""
        return [request for each in self.shown for request in each.requests]


@dataclass(frozen=True)
class Preference:
    """One number for each candidate, by sample; higher is better, and None is where an answer gives none.

    `parsed` is what was read, and `how` says how strictly, or why nothing was.
    """

    scores: tuple[float | None, ...]
    parsed: str | None
    how: How

    @property
    def best(self) -> tuple[int, ...]:
        """The samples with the highest score, which share the choice; none if no answer was usable."""
        return best_of(self.scores)


def best_of(scores: Sequence[float | None]) -> tuple[int, ...]:
    """The places of the highest of `scores`; none where there is no score."""
    known = [score for score in scores if score is not None]
    return tuple(place for place, score in enumerate(scores) if known and score == max(known))


def preference_of(order: Sequence[int], chosen: Chosen) -> Preference:
    """The preference for what was chosen among candidates shown in `order`."""
    picked = {order[slot] for slot in chosen.slots}
    scores = tuple(float(sample in picked) if picked else None for sample in range(len(order)))
    return Preference(scores, chosen.parsed, chosen.how)
