"""Answers that are whole programs in Python, right if they print what LiveCodeBench's tests expect."""

import base64
import io
import json
import pickle
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from selfincorrect.sandbox.running import failure, printed
from selfincorrect.sandbox.sandbox import Limits
from selfincorrect.tasks import fields
from selfincorrect.tasks.answers.code import Code
from selfincorrect.tasks.base import Question

LARGEST = 2**28  # bytes of tests, unpacked
_CALL = "\n\ndef {entry}(*given):\n    return Solution().{name}(*given)\n"
_ENTRY = "solution_of_the_problem"
_TESTS = """
import json
for given, expected in json.loads(cases):
    found = {entry}(*map(json.loads, given.split("\\n")))
    assert json.loads(json.dumps(found)) == json.loads(expected), f"{{given[:100]}}"
"""


class Program(Code):
    """Tests are texts to read and to print, or arguments and value of a method of the class Solution, named
    in the column `entry` (JSON with `func_name`).
    """

    tokens = 2048

    def tests(self, row: Mapping[str, Any]) -> dict[str, Any]:
        entry = fields.text(row, self.told.entry)
        name = json.loads(entry).get("func_name") if entry.startswith("{") else entry
        cases = fields.texts(row, self.told.tests)
        for each in cases:
            unpacked(each)  # what cannot be read is told before any model is asked
        return {"cases": cases, **({"entry": name} if name else {})}

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        """A program that prints nothing: other problems have no published solutions."""
        return "```python\npass\n```"

    def why(self, extracted: str | None, question: Question) -> str | None:
        if extracted is None:
            return "there is no code"
        return _failure(extracted, tuple(question.details["cases"]), question.details.get("entry", ""))


@lru_cache(maxsize=1024)
def _failure(program: str, packed: tuple[str, ...], name: str) -> str | None:
    tests = [case for each in packed for case in unpacked(each)]
    if name:
        cases = json.dumps([[case["input"], case["output"]] for case in tests])
        called, setup = program + _CALL.format(entry=_ENTRY, name=name), f"cases = {cases!r}"
        return failure(called, _TESTS.format(entry=_ENTRY), setup, _ENTRY, (), Limits(seconds=60))
    for case in tests:
        output, why = printed(program, case["input"])
        if output is None:
            return why
        if _words(output) != _words(case["output"]):
            return f"it prints {output.strip()[:100]!r} for {case['input'][:100]!r}"
    return None


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().split("\n")]


def unpacked(text: str) -> list[dict[str, str]]:
    """Tests of a column: JSON, or JSON pickled, compressed and in base 64.

    Raises ValueError for what is neither; a pickle can hold nothing but a text.
    """
    if not text.lstrip().startswith("["):
        opened = zlib.decompressobj()
        try:
            data = opened.decompress(base64.b64decode(text, validate=True), LARGEST)
            text = _Texts(io.BytesIO(data)).load()
        except (zlib.error, pickle.UnpicklingError, EOFError) as error:
            raise ValueError(f"tests cannot be unpacked: {error}") from error
    tests: list[dict[str, str]] = json.loads(text)
    return tests


class _Texts(pickle.Unpickler):
    """Reads pickles of texts: whatever would run code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"a pickle of tests names {module}.{name}")
