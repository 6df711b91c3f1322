"""How probably a request is made where any j of n candidates are to be chosen among."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfincorrect.measure.best_of import ratios
from selfincorrect.measure.intervals import Array

Counts = NDArray[np.int64]


class About(NamedTuple):
    """What requests are about, each [requests].

    `first` and `second` are how many candidates may stand in its two slots (0 where there is no second one),
    `either` how many of them there are together: the slots have none in common, or all, as where texts are
    the same. `alike` is how many candidates share the normal form of all of these, 0 where they have none in
    common.
    """

    first: Counts
    second: Counts
    either: Counts
    alike: Counts


def needed(about: About, n: int, undecided: bool) -> Array:
    """The probability that a random j-subset of n candidates has one for each slot, [requests, sizes(n)].

    Where the `undecided` alone are asked about, its candidates must not all have one normal form either.
    """
    found = _hit(about, np.full_like(about.first, n), n)
    if undecided:
        found = found - np.where((about.alike > 0)[:, None], _hit(about, about.alike, n), 0.0)
    found[:, 0] = 0.0  # of one candidate there is nothing to ask
    return found


def _hit(about: About, within: Counts, n: int) -> Array:
    """The probability that a subset lies within so many candidates and has one for each slot."""

    def inside(without: Counts) -> Array:
        return np.asarray(ratios(n)[np.maximum(within - without, 0)])

    one = inside(np.zeros_like(within)) - inside(about.first)
    both = one - inside(about.second) + inside(about.either)
    # Two slots for the same candidates take two of them: C(m − f, j − 1) = C(m − f + 1, j) − C(m − f, j).
    single = about.first[:, None] * (inside(about.first - 1) - inside(about.first))
    alike, second = about.first + about.second > about.either, about.second > 0
    return np.where((second & alike)[:, None], one - single, np.where(second[:, None], both, one))


def split_up(forms: Counts, n: int) -> Array:
    """The probability that a random j-subset does not have one normal form alone; `forms` is how many
    candidates each has, [forms].
    """
    found = 1.0 - ratios(n)[forms].sum(axis=0)
    found[0] = 0.0
    return np.asarray(found)
