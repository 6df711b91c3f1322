"""Sudoku of 4, 6 or 9 rows: half of the cells are given."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from selfincorrect.tasks.puzzles.base import Puzzle

_BOXES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}  # rows and columns of a box


def make(size: int, draw: Random) -> Puzzle:
    """A sudoku of `size` rows, one of _BOXES. Raises ValueError for another size."""
    if size not in _BOXES:
        raise ValueError(f"a sudoku has {', '.join(map(str, _BOXES))} rows, not {size}")
    height, width = _BOXES[size]
    signs, rows, columns = _shuffled(range(size), draw), _bands(size, height, draw), _bands(size, width, draw)
    grid = [[signs[(width * (r % height) + r // height + c) % size] + 1 for c in columns] for r in rows]
    hidden = set(draw.sample(range(size * size), size * size // 2))
    given = [[0 if r * size + c in hidden else grid[r][c] for c in range(size)] for r in range(size)]
    shown = "\n".join(" ".join(str(each or "_") for each in row) for row in given)
    text = (
        f"Fill the grid so that every row, every column and every box of {height} rows and {width} columns "
        f"holds the numbers 1 to {size} once. Give all rows, parted by / .\n{shown}"
    )
    return Puzzle(text, " / ".join(" ".join(map(str, row)) for row in grid), {"given": given})


def _shuffled(values: Any, draw: Random) -> list[int]:
    found = list(values)
    draw.shuffle(found)
    return found


def _bands(size: int, width: int, draw: Random) -> list[int]:
    """The places of rows or columns in an order that keeps boxes whole."""
    bands = _shuffled(range(size // width), draw)
    return [band * width + each for band in bands for each in _shuffled(range(width), draw)]


def fault(solution: str, facts: Mapping[str, Any]) -> str | None:
    given = facts["given"]
    size, (height, width) = len(given), _BOXES[len(given)]
    grid = [[int(each) for each in re.findall(r"\d+", row[:200])] for row in solution.split("/")[: size + 1]]
    if len(grid) != size or any(len(row) != size for row in grid):
        return f"it has not {size} rows of {size} numbers"
    if any(each and each != grid[r][c] for r, row in enumerate(given) for c, each in enumerate(row)):
        return "a number that was given is another one"
    groups = [("row", row) for row in grid] + [("column", list(each)) for each in zip(*grid, strict=True)]
    for r in range(0, size, height):
        for c in range(0, size, width):
            groups.append(("box", [grid[r + i][c + j] for i in range(height) for j in range(width)]))
    wanted = set(range(1, size + 1))
    return next((f"a {name} has not every number once" for name, each in groups if set(each) != wanted), None)


def spoiled(answer: str, draw: Random) -> str:
    """The grid with two numbers of a row changed for one another."""
    rows = [row.split() for row in answer.split("/")]
    row = draw.choice(rows)
    one, other = draw.sample(range(len(row)), 2)
    row[one], row[other] = row[other], row[one]
    return " / ".join(" ".join(each) for each in rows)
