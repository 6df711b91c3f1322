"""Runs a program inside the sandbox and calls its functions as it is told, a line of JSON a call."""

import json
import os
from pathlib import Path
from typing import Any

from .values import line, packed, unpacked


def main() -> None:
    """Define what the program /payload defines, then answer calls until there are no more."""
    program = Path("/payload").read_text(encoding="utf-8")
    calls, replies = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):  # what a program prints is no reply
        os.dup2(nothing, number)
    space: dict[str, Any] = {"__name__": "answer"}
    try:
        exec(compile(program, "answer.py", "exec"), space)
        replies.write(line({"defines": [name for name in space if callable(space[name])]}))
    except BaseException as error:
        replies.write(line(_raised(error)))
    replies.flush()
    for text in calls:
        name, arguments, named = json.loads(text)
        try:
            reply = {"value": packed(space[name](*unpacked(arguments), **unpacked(named)))}
        except BaseException as error:
            reply = _raised(error)
        replies.write(line(reply))
        replies.flush()


def _raised(error: BaseException) -> dict[str, list[str]]:
    return {"raised": [type(error).__name__, str(error)[:300]]}
