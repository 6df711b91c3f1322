"""What is asked about one question, and the preference among its candidates that comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfincorrect.discriminate.parse import Chosen, How
from selfincorrect.engines.requests import Request
from selfincorrect.tasks.base import Question


@dataclass(frozen=True)
class Part:
    """What one request is about: slots of those shown, in one of the forms in which a selector asks."""

    slots: tuple[int, ...]
    form: int = 0


@dataclass(frozen=True)
class Shown:
    """The candidates of a question in one order.

    These are the samples, their texts, and the requests about them, with their parts.
    """

    order: tuple[int, ...]
    texts: tuple[str, ...]
    requests: tuple[Request, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Asked:
    """A question, and its candidates in each order that a variant shows.

    `stands` names the sample that stands for each sample: itself, or the first with the same normal form.
    A question that is decided is not asked: nothing is shown.
    """

    question: Question
    shown: tuple[Shown, ...]
    stands: tuple[int, ...]

    @property
    def requests(self) -> list[Request]:
        """All requests, order by order."""
        return [request for each in self.shown for request in each.requests]

    def preference(self, scores: Mapping[int, float | None], parsed: str | None, how: How) -> "Preference":
        """The preference by the scores of the samples that were shown."""
        return Preference(tuple(scores.get(sample) for sample in self.stands), parsed, how)

    def unread(self, why: Chosen) -> "Preference":
        """No preference, for the reason that a choice of nothing gives."""
        return self.preference({}, why.parsed, why.how)


@dataclass(frozen=True)
class Reading:
    """What one request says of the samples that it shows, in their order: the share of each."""

    samples: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Preference:
    """One number for each candidate, by sample; higher is better, and None is where an answer gives none.

    `parsed` is what was read, and `how` says how strictly, or why nothing was. `mass` is how probable the
    labels were together, a mean over requests; `bounded` says that the choice depends on a label of which
    only a bound is known. `picks` are the samples picked in each order, where there are several; None is no
    single one. `readings` are what each request says, where it weighs what it shows against each other.
    """

    scores: tuple[float | None, ...]
    parsed: str | None
    how: How
    mass: float | None = None
    bounded: bool = False
    picks: tuple[int | None, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def best(self) -> tuple[int, ...]:
        """The samples with the highest score, which share the choice; none if no answer was usable."""
        return best_of(self.scores)


def best_of(scores: Sequence[float | None]) -> tuple[int, ...]:
    """The places of the highest of `scores`; none where there is no score."""
    highest = max((score for score in scores if score is not None), default=None)
    return tuple(place for place, score in enumerate(scores) if score is not None and score == highest)


def preference_of(order: Sequence[int], chosen: Chosen) -> Preference:
    """The preference for what was chosen among candidates shown in `order`."""
    picked = {order[slot] for slot in chosen.slots}
    scores = tuple(float(sample in picked) if picked else None for sample in range(len(order)))
    return Preference(scores, chosen.parsed, chosen.how)


def votes(asked: Asked, shown: Sequence[Shown], chosen: Sequence[Chosen]) -> Preference:
    """The preference by what was chosen among what was shown: votes, which those that tie share.

    Outputs that cannot be read give no vote.
    """
    valid = [each for each in chosen if each.slots]
    if not valid:
        return asked.unread(chosen[0])
    scores = dict.fromkeys(sorted(set(asked.stands)), 0.0)
    for order, each in zip(shown, chosen, strict=True):
        for slot in each.slots:
            scores[order.order[slot]] += 1 / len(each.slots)
    strictly = len(valid) == len(chosen) and all(each.how == "strict" for each in chosen)
    parsed = " ".join(each.parsed or "–" for each in chosen)
    picks = tuple(
        order.order[each.slots[0]] if len(each.slots) == 1 else None
        for order, each in zip(shown, chosen, strict=True)
    )
    return replace(asked.preference(scores, parsed, "strict" if strictly else "loose"), picks=picks)
