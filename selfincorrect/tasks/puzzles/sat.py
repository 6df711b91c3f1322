"""Satisfiability of clauses with three literals, four clauses a variable; there is a solution."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from selfincorrect.tasks.puzzles.base import Puzzle

CLAUSES = 4  # for each variable: near where solutions become rare (4.27)


def make(size: int, draw: Random) -> Puzzle:
    """Clauses over `size` variables, at least 3, that hold in a drawn solution."""
    if size < 3:
        raise ValueError(f"clauses of three literals need three variables, not {size}")
    values = [draw.random() < 0.5 for _ in range(size)]
    clauses: list[list[int]] = []
    while len(clauses) < CLAUSES * size:
        chosen = [each if draw.random() < 0.5 else -each for each in draw.sample(range(1, size + 1), 3)]
        if any(values[abs(each) - 1] == (each > 0) for each in chosen):
            clauses.append(chosen)
    shown = "\n".join(" or ".join(_literal(each) for each in clause) for clause in clauses)
    text = (
        f"Say of each variable x1 to x{size} whether it is true or false, so that every line below is true. "
        f"Give them as x1=1 for true, x1=0 for false, and so on, parted by blanks.\n{shown}"
    )
    answer = " ".join(f"x{place}={int(each)}" for place, each in enumerate(values, start=1))
    return Puzzle(text, answer, {"clauses": clauses, "variables": size})


def _literal(each: int) -> str:
    return f"x{each}" if each > 0 else f"not x{-each}"


def fault(solution: str, facts: Mapping[str, Any]) -> str | None:
    found = {
        int(place): sign in "1Tt" for place, sign in re.findall(r"x(\d{1,4})\s?=\s?([01TFtf])", solution)
    }
    missing = [each for each in range(1, facts["variables"] + 1) if each not in found]
    if missing:
        return f"x{missing[0]} has no value"
    for clause in facts["clauses"]:
        if not any(found[abs(each)] == (each > 0) for each in clause):
            return f"“{' or '.join(map(_literal, clause))}” does not hold"
    return None


def spoiled(answer: str, draw: Random) -> str:
    """The solution with one or two values turned."""
    parts = answer.split()
    for place in draw.sample(range(len(parts)), draw.choice([1, 2])):
        parts[place] = parts[place][:-1] + ("0" if parts[place].endswith("1") else "1")
    return " ".join(parts)
