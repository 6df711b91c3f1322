"""Which candidates of a question are shown, and in which orders."""

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

from selfincorrect.digest import seed_of
from selfincorrect.tasks.variant import Variant

if TYPE_CHECKING:  # every job reads this with the workflow, and polars is slow to import
    from selfincorrect.tasks.conversations import Candidate

Order = tuple[int, ...]
MOST_FOR_ALL = 4  # candidates of which all orders are shown: 24


def orders_of(
    variant: Variant, samples: Sequence[int], question_id: str, k: int, seed: int, default: str | None = None
) -> tuple[Order, ...]:
    """The orders in which a variant shows `samples`, the first of them first.

    The seeds are those of the question and of `k`. `default` is what a selector shows where the variant
    leaves it open; without it, what the variant's `order` says.
    """
    wanted, first = variant.orders or default or variant.order, tuple(samples)
    if wanted == "permuted" or variant.order == "permuted":
        first = _permuted(first, "order", seed, question_id, k)
    if wanted == "rotations":
        return tuple(first[turn:] + first[:turn] for turn in range(len(first)))
    if wanted == "all":
        return (first, *(each for each in permutations(sorted(first)) if each != first))
    if isinstance(wanted, int):
        return tuple(_permuted(tuple(samples), "order", seed, question_id, k, turn) for turn in range(wanted))
    return (first,)


def _permuted(samples: Order, *seeds: str | int) -> Order:
    order = list(samples)
    Random(seed_of(*seeds)).shuffle(order)
    return tuple(order)


def stands_of(candidates: Sequence["Candidate"], distinct: bool) -> Order:
    """The sample that stands for each: where they are to be `distinct`, the first with its normal form.

    A candidate without a normal form equals no other.
    """
    if not distinct:
        return tuple(range(len(candidates)))
    forms = [each.extracted for each in candidates]
    return tuple(place if form is None else forms.index(form) for place, form in enumerate(forms))


def decided(candidates: Sequence["Candidate"]) -> bool:
    """Whether all candidates have one normal form: there is nothing to choose."""
    forms = {each.extracted for each in candidates}
    return len(forms) == 1 and None not in forms
