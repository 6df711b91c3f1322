"""Rules that choose among k candidates without asking a model: what a model's own choice has to beat."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from selfincorrect.digest import seed_of

ASKED = ("choose", "score")  # selectors with which a model chooses
Free = Literal["random", "majority", "longest", "shortest", "oracle"]
FREE: tuple[Free, ...] = get_args(Free)
"""Names of the rules: a seeded uniform draw (how much luck can do), the most frequent answer, the longest and the shortest
text in characters, and the best grade (what a perfect choice would score)."""


def majority(extracted: Sequence[str | None]) -> list[int]:
    """Indices of the most frequent answer by normal form, of all that tie.

    An answer without a normal form agrees with no other.
    """
    groups: dict[Any, list[int]] = {}
    for index, form in enumerate(extracted):
        groups.setdefault(index if form is None else form, []).append(index)
    largest = max(map(len, groups.values()))
    return [index for group in groups.values() if len(group) == largest for index in group]


def tied(selector: str, candidates: Sequence[Any]) -> list[int]:
    """Indices that the rule `selector`, one of FREE, cannot tell apart; `candidates` have text, extracted, grade.

    No text counts as an empty one, no grade as lower than any. Raises ValueError for another rule.
    """
    if selector == "random":
        return list(range(len(candidates)))
    if selector == "majority":
        return majority([each.extracted for each in candidates])
    if selector == "oracle":
        values = [float("-inf") if each.grade is None else each.grade for each in candidates]
    elif selector in ("longest", "shortest"):
        sign = 1 if selector == "longest" else -1
        values = [sign * len(each.text or "") for each in candidates]
    else:
        raise ValueError(f"{selector} is not one of {FREE}")
    return [index for index, value in enumerate(values) if value == max(values)]


def selected_rows(
    variant: str, selector: str, pool: Mapping[str, Sequence[Any]], questions: Sequence[str], k: int, seed: int
) -> list[dict[str, Any]]:
    """Choices of a rule among the first k candidates of each question, as rows of `choices.SCHEMA`.

    A tie is shared in scores; `chosen_sample` is a seeded draw from it. `random` is such a draw and nothing else.
    """
    rows = []
    for question in questions:
        ties = tied(selector, pool[question][:k])
        chosen = ties[seed_of("select", seed, selector, question, k) % len(ties)]
        rows.append(
            {
                "question_id": question, "k": k, "variant": variant, "selector": selector, "order": list(range(k)),
                "how": selector, "chosen_sample": chosen, "valid": True,
                "shared": ties if len(ties) > 1 and selector != "random" else None,
            }
        )  # fmt: skip
    return rows
