"""Products of two square matrices of small whole numbers."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from selfincorrect.tasks.puzzles.base import Puzzle

_ENTRIES = range(-9, 10)


def make(size: int, draw: Random) -> Puzzle:
    """Two matrices of `size` rows; of size 1 they are two numbers."""
    one, other = ([[draw.choice(_ENTRIES) for _ in range(size)] for _ in range(size)] for _ in range(2))
    product = [[sum(one[i][j] * other[j][c] for j in range(size)) for c in range(size)] for i in range(size)]
    text = f"Multiply the matrices {one} and {other}. Give the product in the same form."
    return Puzzle(text, str(product), {"product": product})


def fault(solution: str, facts: Mapping[str, Any]) -> str | None:
    rows = re.findall(r"\[([^\[\]]{0,2000})\]", solution[:100_000])
    found = [[int(each) for each in re.findall(r"[-−]?\d{1,9}", row.replace("−", "-"))] for row in rows]
    product = facts["product"]
    if [len(row) for row in found] != [len(row) for row in product]:
        return f"it has not {len(product)} rows of {len(product)} numbers"
    places = [
        (i, j) for i, row in enumerate(product) for j in range(len(row)) if found[i][j] != product[i][j]
    ]
    return f"row {places[0][0] + 1}, column {places[0][1] + 1} is another number" if places else None


def spoiled(answer: str, draw: Random) -> str:
    """The product with one number changed."""
    numbers = list(re.finditer(r"-?\d+", answer))
    chosen = draw.choice(numbers)
    changed = int(chosen.group()) + draw.choice([-10, -2, -1, 1, 2, 10])
    return f"{answer[: chosen.start()]}{changed}{answer[chosen.end() :]}"
