"""What a puzzle is made of, and puzzles as rows of a task.

A module of this folder has the names of the protocol `Puzzles`. Solutions are one line; a size says how hard
a puzzle is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from typing import Any, Protocol, cast

from selfincorrect.digest import seed_of
from selfincorrect.sources.kinds import Generated

WRONG, TRIES = 5, 60  # wrong solutions of a demonstration, and how often one is tried


@dataclass(frozen=True)
class Puzzle:
    """A puzzle in words, one of its solutions, and what a checker needs to know of it (written as JSON)."""

    question: str
    answer: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Puzzles(Protocol):
    """A module of puzzles; `make` is told a size, `fault` gives None for a solution that is right, `spoiled`
    turns a solution into one that may be wrong.
    """

    def make(self, size: int, draw: Random) -> Puzzle: ...
    def fault(self, solution: str, facts: Mapping[str, Any]) -> str | None: ...
    def spoiled(self, answer: str, draw: Random) -> str: ...


def puzzles(name: str) -> Puzzles:
    """The module of puzzles called `name`."""
    # By its name: one kind is no part of the code of another's tasks (`config.code_digest`).
    return cast(Puzzles, import_module(f"selfincorrect.tasks.puzzles.{name}"))


def rows(source: Generated) -> Iterator[dict[str, Any]]:
    """The puzzles of a source as rows: `id`, `question`, `answer`, `size`, `puzzle` and `facts`.

    A puzzle depends on the seed, its size and its number alone, so that a larger count keeps those of before.
    """
    for size in source.sizes:
        for number in range(source.count):
            made = puzzles(source.generator).make(size, _draw(source, size, number))
            yield {
                "id": f"{source.generator}-{size}-{number:05d}", "question": made.question,
                "answer": made.answer, "size": str(size), "puzzle": source.generator,
                "facts": dict(made.facts),
            }  # fmt: skip


def demonstrations(name: str, sizes: list[int], count: int) -> list[dict[str, Any]]:
    """Puzzles of the smallest size with solutions, right ones and spoiled ones, as demonstrations."""
    found, module = [], puzzles(name)
    for number in range(count):
        draw = Random(seed_of("demonstration", name, number))
        made = module.make(min(sizes), draw)
        spoiled = (module.spoiled(made.answer, draw) for _ in range(TRIES))
        wrong = dict.fromkeys(each for each in spoiled if module.fault(each, made.facts))
        remarks = [
            {"text": f"#### {text}", "remark": f"is wrong: {module.fault(text, made.facts)}."}
            for text in wrong
        ]
        right = {"answer": f"#### {made.answer}", "remark": "is right: it keeps every rule."}
        found.append({"question": made.question, **right, "wrong": remarks[:WRONG]})
    return found


def _draw(source: Generated, size: int, number: int) -> Random:
    return Random(seed_of("puzzle", source.generator, source.seed, size, number))
