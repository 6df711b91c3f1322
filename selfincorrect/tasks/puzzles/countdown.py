"""Countdown: reach a number by calculating with given ones, each used at most once."""

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from random import Random
from typing import Any

from selfincorrect.tasks.puzzles.base import Puzzle

LONGEST = 200  # characters of an expression
_CALCULATE: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def make(size: int, draw: Random) -> Puzzle:
    """`size` numbers, at least 2, and a target from 10 to 999 that all of them reach together."""
    if size < 2:
        raise ValueError(f"there is nothing to calculate with {size} numbers")
    while True:
        numbers = [draw.randint(1, 20) for _ in range(size)]
        expression = _joined([str(each) for each in numbers], draw)
        value, _ = _value(expression)
        if value is not None and value.denominator == 1 and 10 <= value <= 999:
            break
    draw.shuffle(numbers)
    shown = ", ".join(map(str, numbers))
    text = (
        f"Reach {value} with the numbers {shown}: each may be used once, with + - * / and brackets. Give the "
        "expression alone."
    )
    return Puzzle(text, expression, {"target": int(value), "numbers": numbers})


def _joined(parts: list[str], draw: Random) -> str:
    while len(parts) > 1:
        one, other = parts.pop(draw.randrange(len(parts))), parts.pop(draw.randrange(len(parts)))
        joined = f"{one} {draw.choice('++--**/')} {other}"
        parts.append(f"({joined})" if parts else joined)
    return parts[0]


def _value(expression: str) -> tuple[Fraction | None, list[int]]:
    """The value of an expression, None if it is none, and the numbers that it uses."""
    used: list[int] = []

    def of(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            used.append(node.value)
            return Fraction(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in _CALCULATE:
            return _CALCULATE[type(node.op)](of(node.left), of(node.right))
        raise ValueError("no calculation")

    try:
        return of(ast.parse(expression.strip(), mode="eval").body), used
    except (ValueError, SyntaxError, ZeroDivisionError, RecursionError, MemoryError):
        return None, []


def fault(solution: str, facts: Mapping[str, Any]) -> str | None:
    text = solution.strip().split("=")[0].replace("×", "*").replace("÷", "/").replace("−", "-")
    if len(text) > LONGEST or not re.fullmatch(r"[\d\s()+*/-]+", text):
        return "it is no calculation"
    value, used = _value(text)
    if value is None:
        return "it is no calculation"
    if Counter(used) - Counter(facts["numbers"]):
        return "it uses a number that is not there, or one twice"
    return None if value == facts["target"] else f"it is {value}, not {facts['target']}"


def spoiled(answer: str, draw: Random) -> str:
    """The expression with one sign changed."""
    signs = [place for place, sign in enumerate(answer) if sign in "+-*/"]
    place = draw.choice(signs)
    return f"{answer[:place]}{draw.choice('+-*/')}{answer[place + 1 :]}"
