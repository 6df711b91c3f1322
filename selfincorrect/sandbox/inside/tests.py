"""Runs tests inside a sandbox of their own; what they call is a program in another one.

The program knows nothing of the tests and cannot reach them: it only gets arguments and gives values. What
comes of the tests is a line of JSON on standard error.
"""

import ast
import builtins
import json
import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .values import line, packed, unpacked

LONGEST = 2**20  # characters of a reply


class Ended(BaseException):
    """The program ended, or says what is no reply."""


class Program:
    """The program at the other end of standard input and output."""

    def __init__(self) -> None:
        self.replies = os.fdopen(os.dup(0), encoding="utf-8", errors="replace")
        self.calls = os.fdopen(os.dup(1), "w", encoding="utf-8")
        defines = self.reply().get("defines")
        if not isinstance(defines, list):
            raise Ended("the program says what is no reply")
        self.defines: list[str] = defines

    def reply(self) -> dict[str, Any]:
        """What the program says next. Raises Ended, or what the program raised."""
        text = self.replies.readline(LONGEST)
        if not text.endswith("\n"):
            long = f"the program returns more than {LONGEST} characters"
            raise Ended(long if text else "the program ended before it returned")
        reply = json.loads(text)
        if not isinstance(reply, dict):
            raise Ended("the program says what is no reply")
        if "raised" in reply:
            name, said = reply["raised"]
            kind = getattr(builtins, str(name), None)
            known = isinstance(kind, type) and issubclass(kind, Exception) and kind is not UnicodeDecodeError
            raise kind(said) if known and kind else RuntimeError(f"{name}: {said}")
        return reply

    def function(self, name: str) -> Callable[..., Any]:
        """A function that is the program's."""

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                self.calls.write(line([name, packed(arguments), packed(named)]))
                self.calls.flush()
            except BrokenPipeError:
                raise Ended("the program ended before it returned") from None
            return unpacked(self.reply()["value"])

        return call


def wanted(tests: str, names: Sequence[str]) -> set[str]:
    """The names that tests use and nothing of theirs defines; of those that Python has, only `names`."""
    nodes = list(ast.walk(ast.parse(tests)))
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    own = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            own |= {each.asname or each.name for each in node.names}
    return used - own - (set(dir(builtins)) - set(names))


def why(told: dict[str, Any]) -> str | None:
    """Why the program fails; None where it passes all tests."""
    program = Program()
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    space: dict[str, Any] = {"__name__": "tests"}
    exec(compile(told["setup"], "setup.py", "exec"), space)
    needed = [told["entry"]] if told["entry"] else sorted(wanted(told["tests"], told["names"]) - set(space))
    for name in needed:
        if name not in program.defines:
            return f"there is no function {name}"
        space[name] = program.function(name)
    exec(compile(told["tests"], "tests.py", "exec"), space)
    return None


def failed(error: BaseException, tests: str) -> str:
    """Why tests fail, with the line of theirs that does."""
    said = f"{type(error).__name__}: {error}".rstrip(": ")[:300]
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame.lineno for frame in frames if frame.filename == "tests.py" and frame.lineno]
    return f"{said}, at `{tests.splitlines()[places[-1] - 1].strip()[:200]}`" if places else said


def main() -> None:
    """Run the tests of /payload and say what comes of them."""
    told = json.loads(Path("/payload").read_text(encoding="utf-8"))
    verdict = os.fdopen(os.dup(2), "w", encoding="utf-8")
    os.dup2(os.open("/dev/null", os.O_RDWR), 2)
    try:
        said = why(told)
    except Ended as error:
        said = str(error)
    except BaseException as error:
        said = failed(error, told["tests"])
    verdict.write(line(said))
    verdict.flush()
    os._exit(0)
