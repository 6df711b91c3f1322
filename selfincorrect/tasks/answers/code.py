"""Answers that are functions in Python, right if they pass tests in a sandbox."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.sandbox.running import failure
from selfincorrect.sandbox.sandbox import hindrance
from selfincorrect.tasks import fields
from selfincorrect.tasks.answers.checked import Checked
from selfincorrect.tasks.base import Question

_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[ \t]*$\n?", re.MULTILINE)
_DEFINING = re.compile(r"^\s*(?:def|class)\s", re.MULTILINE)
_DEFINES = re.compile(r"^def\s+(\w+)", re.MULTILINE)
_NEXT = re.compile(r"\n\s*(?:Task|Question|Problem):")


class Code(Checked):
    """The last block of code, without a block the whole answer."""

    prompts = "code"
    tokens = 512
    executes = True

    def hindrance(self) -> str | None:
        return hindrance()

    def written(self, reference: str) -> str:
        return f"```python\n{reference}\n```"

    def trim(self, text: str) -> str:
        return _NEXT.split(thoughts.answer(text) or "", maxsplit=1)[0].strip("\n").rstrip()

    def extract(self, text: str) -> str | None:
        lines = [line.rstrip() for line in code_in(self.trim(text)).split("\n")]
        return "\n".join(lines).strip("\n") or None

    def tests(self, row: Mapping[str, Any]) -> dict[str, Any]:
        told = self.told
        found = {name: fields.text(row, getattr(told, name)) for name in ("setup", "entry")}
        return {"tests": "\n".join(fields.texts(row, told.tests)), **found} if told.tests else {}

    def why(self, extracted: str | None, question: Question) -> str | None:
        if extracted is None:
            return "there is no code"
        told = question.details
        program = whole(extracted, told.get("setup", ""), told.get("entry", ""))
        names = tuple(_DEFINES.findall(question.references[0]))
        return _failure(program, told["tests"], told.get("setup", ""), told.get("entry", ""), names)


@lru_cache(maxsize=4096)
def _failure(program: str, tests: str, setup: str, entry: str, names: tuple[str, ...]) -> str | None:
    return failure(program, tests, setup, entry, names)


def code_in(text: str) -> str:
    """The last block of code that defines something, else the last one; without a block the text itself.

    One that is cut off counts where no other defines anything. Code that begins without a fence and ends with
    one is a block too.
    """
    parts = _FENCE.split(text)  # a text, then the language and the text of each fence in turn
    if len(parts) == 1:
        return text
    texts, languages = parts[::2], parts[1::2]
    if not languages[0] and _DEFINING.search(texts[0]):
        texts = ["", *texts]
    closed, cut = texts[1::2], []
    if len(texts) % 2 == 0:
        *closed, last = closed
        cut = [last]
    for blocks in (closed, cut):
        if defining := [block for block in blocks if _DEFINING.search(block)]:
            return defining[-1]
    return [*closed, *cut][-1]


def whole(code: str, setup: str, entry: str) -> str:
    """A program that can run: after what the question gives, such as imports, and as the body of its function
    where the answer only goes on from there.
    """
    if not entry or re.search(rf"^(?:async\s+)?(?:def|class)\s+{re.escape(entry)}\b", code, re.MULTILINE):
        return f"{setup}\n{code}"
    first, *rest = code.split("\n")
    # Blanks before an answer are gone, those of its other lines are not: the first line is given them back.
    depths = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    lost = (depths or [0])[0] - (4 if first.rstrip().endswith(":") else 0)
    if lost > 0:
        return "\n".join([setup.rstrip(), f"{' ' * lost}{first}", *rest])
    return "\n".join([setup.rstrip(), *(f"    {line}" for line in code.split("\n"))])
