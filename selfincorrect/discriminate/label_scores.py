"""How probable labels are as an answer, each summed over the ways in which it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, fsum

from selfincorrect.discriminate.asked import Asked, Preference
from selfincorrect.engines.requests import Response

SPELLINGS = (" {}", "{}", " ({}", "({}")
ENDED = (" {}", "{}", " ({})", "({})")  # of a label that begins another: its end tells them apart
TINY = 1e-9  # of shares that differ by rounding


def spelled(labels: Sequence[str]) -> tuple[str, ...]:
    """The texts whose probabilities are wanted, label by label."""
    confused = _confused(labels)
    return tuple(way.format(label) for label in labels for way in (ENDED if label in confused else SPELLINGS))


def ended(labels: Sequence[str]) -> tuple[str, ...]:
    """Those of these texts whose end counts."""
    confused = _confused(labels)
    return tuple(way.format(label) for label in labels for way in ENDED if label in confused)


def _confused(labels: Sequence[str]) -> set[str]:
    """The labels that begin another, or are begun by one: 1 and 10."""
    pairs = [(one, other) for one in labels for other in labels if one != other and other.startswith(one)]
    return {label for pair in pairs for label in pair}


@dataclass(frozen=True)
class Probabilities:
    """The probability of each label; None where none of its spellings is known.

    `most` are what they are at most. Both are of all there is, not of the labels alone.
    """

    known: tuple[float | None, ...]
    most: tuple[float, ...]

    @property
    def mass(self) -> float:
        """How probable the labels are together."""
        return fsum(each or 0.0 for each in self.known)

    @property
    def shares(self) -> list[float | None] | None:
        """The probabilities among the labels; None where there are none."""
        mass = self.mass
        return [None if each is None else each / mass for each in self.known] if mass > 0 else None

    def range_of(self, label: int) -> tuple[float, float]:
        """The least and the largest share of a label among all, for what is known as a bound alone."""
        known = [each or 0.0 for each in self.known]
        others = fsum(known) - known[label], fsum(self.most) - self.most[label]
        most = known[label] + others[1], self.most[label] + others[0]
        return known[label] / most[0] if most[0] else 0.0, self.most[label] / most[1] if most[1] else 1.0


def mean_range(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The range of a mean, from those of its terms."""
    return tuple(fsum(each) / len(each) for each in zip(*ranges, strict=True))  # type: ignore[return-value]


def concluded(
    asked: Asked,
    scores: Mapping[int, float],
    ranges: Mapping[int, tuple[float, float]],
    found: Sequence[Probabilities],
) -> Preference:
    """The preference by scores of samples, which are made of what was `found` and lie in `ranges`."""
    made = asked.preference(scores, None, "scored" if scores else "none")
    best = max(scores.values(), default=0.0)
    chosen = {sample for sample, score in scores.items() if score == best}
    least = min((ranges[sample][0] for sample in chosen), default=1.0)
    rivals = [ranges[sample][1] for sample in ranges if sample not in chosen]
    # Without bounds a range is a point, up to rounding.
    bounded = any(high > max(least, best) or (high >= least and least < best - TINY) for high in rivals)
    return replace(
        made, mass=fsum(each.mass for each in found) / len(found), bounded=bounded and bool(scores)
    )


def label_probabilities(response: Response, labels: Sequence[str]) -> Probabilities:
    """The probabilities of `labels`, from a response whose options were those of `spelled`."""
    options, ways = response.options or (), len(SPELLINGS)
    bound = 1.0 if response.bound is None else exp(response.bound)
    known, most = [], []
    for place in range(len(labels)):
        found = options[place * ways : (place + 1) * ways]
        told = [exp(each) for each in found if each is not None]
        known.append(fsum(told) if told else None)
        most.append(min(fsum(told) + bound * (len(found) - len(told)), 1.0))
    return Probabilities(tuple(known), tuple(most))
