"""`majority`: the most frequent answer by normal form."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfincorrect.tasks.conversations import Candidate


def majority(extracted: Sequence[str | None]) -> list[int]:
    """The indices of the most frequent answer by normal form; of all answers that tie.

    An answer without a normal form agrees with no other.
    """
    groups: dict[Any, list[int]] = {}
    for index, form in enumerate(extracted):
        groups.setdefault(index if form is None else form, []).append(index)
    largest = max(map(len, groups.values()))
    return [index for group in groups.values() if len(group) == largest for index in group]


class Majority:
    asks, graded, slots, shared, options = False, True, False, True, frozenset[str]()
    why = "this rule asks no model"
    standard, compared = True, True

    def ties(self, candidates: Sequence["Candidate"]) -> list[int]:
        return majority([each.extracted for each in candidates])


SELECTOR = Majority()
