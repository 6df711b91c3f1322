"""Which two candidates are compared next: schedules that take fewer comparisons than each with each.

A comparison is an ordered pair of candidates; the first is shown first. `field` has all candidates in a
seeded order, in which ties are broken, and `chance` gives what is known so far of p_ij, the probability that
the first of two is better: 0.5 where nothing is.
"""

from collections.abc import Callable, Sequence
from math import ceil, fsum, log2

Pair = tuple[int, int]
Chance = Callable[[int, int], float]

SCHEDULES = ("round_robin", "knockout", "swiss", "pivot")


def most(schedule: str, count: int) -> int:
    """The number of comparisons among `count` candidates at most."""
    return {
        "round_robin": count * (count - 1),
        "knockout": 2 * (count - 1),
        "swiss": 2 * _rounds(count) * (count // 2),
        "pivot": count + 2 * (count - 2) + 1,
    }[schedule]


def following(schedule: str, field: Sequence[int], made: Sequence[Pair], chance: Chance) -> list[Pair]:
    """The comparisons of the next round, after those that were `made`; none where the schedule is over."""
    if len(field) < 2:
        return []
    if schedule == "knockout":
        rounds = bracket(field, made, chance)
        return _both(_neighbours([name for name in field if rounds[name] == max(rounds.values())]))
    if schedule == "swiss":
        return _both(_swiss(field, made, chance))[: most(schedule, len(field)) - len(made)]
    if schedule == "pivot":
        return _ring(field) if not made else _pivots(field, made, chance)
    return [] if made else [(one, other) for one in field for other in field if one != other]


def bracket(field: Sequence[int], made: Sequence[Pair], chance: Chance) -> dict[int, int]:
    """How many rounds of a bracket each survived so far.

    One without an opponent goes on; of two equal ones the first of the field does.
    """
    rounds, left = dict.fromkeys(field, 0), list(field)
    while len(left) > 1 and set(_neighbours(left)) <= set(made):
        won = [one if chance(one, other) >= 0.5 else other for one, other in _neighbours(left)]
        left = [*won, *left[2 * len(won) :]]
        for name in left:
            rounds[name] += 1
    return rounds


def mean_chances(field: Sequence[int], made: Sequence[Pair], chance: Chance) -> dict[int, float]:
    """The mean of p_ij over those that each was compared with; 0.5 for one that was compared with none."""
    met = {name: {b if a == name else a for a, b in made if name in (a, b)} for name in field}
    return {
        name: fsum(chance(name, other) for other in sorted(others)) / len(others) if others else 0.5
        for name, others in met.items()
    }


def _rounds(count: int) -> int:
    return ceil(log2(count)) if count > 1 else 0


def _both(pairs: Sequence[Pair]) -> list[Pair]:
    return [each for one, other in pairs for each in ((one, other), (other, one))]


def _neighbours(left: Sequence[int]) -> list[Pair]:
    return list(zip(left[::2], left[1::2], strict=False))


def _swiss(field: Sequence[int], made: Sequence[Pair], chance: Chance) -> list[Pair]:
    """Neighbours by mean so far who have not met; the last without such an opponent sits out."""
    means = mean_chances(field, made, chance)
    left, pairs = sorted(field, key=lambda name: -means[name]), []
    while left:
        one = left.pop(0)
        other = next((name for name in left if (one, name) not in made and (name, one) not in made), None)
        if other is not None:
            left.remove(other)
            pairs.append((one, other))
    return pairs


def _ring(field: Sequence[int]) -> list[Pair]:
    """Each once first and once second."""
    return list(zip(field, [*field[1:], field[0]], strict=True))


def _pivots(field: Sequence[int], made: Sequence[Pair], chance: Chance) -> list[Pair]:
    """The two best so far against all others and each other, in the order that they were not shown in."""
    if len(made) > len(field):
        return []
    means = mean_chances(field, made, chance)
    best = sorted(field, key=lambda name: -means[name])[:2]
    wanted = [(pivot, name) for pivot in best for name in field if name not in best] + [(best[0], best[1])]
    # Pivots are first in every other comparison, so that no slot is theirs.
    turned = [pair[:: -1 if place % 2 else 1] for place, pair in enumerate(wanted)]
    fresh = [pair if pair not in made else pair[::-1] for pair in turned]
    return [(one, other) for one, other in fresh if (one, other) not in made]
