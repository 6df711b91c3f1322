"""Tasks without code of their own: made of a description, by a configuration or by a file of `ready`."""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any

import yaml

from selfincorrect.sources.kinds import Generated, Source
from selfincorrect.tasks import fields
from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.answers.registry import kind_of
from selfincorrect.tasks.base import Grading, Judge, Question, Rows
from selfincorrect.tasks.definition import COLUMNS, Definition, Ready, Shown
from selfincorrect.tasks.options import options_of, with_options
from selfincorrect.tasks.puzzles import base as puzzles

CHOICE_TOKENS = 192
PUZZLES = 6  # demonstrations of puzzles that are made
READY = Path(__file__).parent / "ready"  # descriptions of this package, a file a task


class DescribedTask:
    """A task as `tasks.base` describes one, made of its name and its definition."""

    def __init__(self, name: str, definition: Definition) -> None:
        self.name, self.definition, kind = name, definition, kind_of(definition)
        told = definition if isinstance(definition, Ready) else None
        self.SOURCES: Mapping[str, Source] = told.sources if told else {}
        self.CHOICE_TOKENS = CHOICE_TOKENS
        self.ANSWER_TOKENS = (told.answer_tokens if told else None) or kind.tokens
        self.GRADINGS: Mapping[str, Grading] = {}
        self.JUDGES: Mapping[str, Judge] = kind.judges
        self.NUMBERS = kind.numbers
        self.EXECUTES = kind.executes
        if not kind.judges:
            self.GRADINGS = {definition.grade: (kind.extract, kind.grade)}
        self.kind: Kind = kind
        self.trim, self.extract, self.final, self.why = kind.trim, kind.extract, kind.final, kind.why
        self.hindrance = kind.hindrance

    @property
    def SHOTS(self) -> int:  # noqa: N802
        told = self.definition
        return len(self._shown) if told.shots is None else told.shots

    @property
    def COLUMNS(self) -> str:  # noqa: N802
        names = [name for each in COLUMNS for name in fields.names_in(getattr(self.definition, each))]
        return ", ".join(f"`{name}`" for name in dict.fromkeys(names))

    @cached_property
    def _shown(self) -> list[dict[str, Any]]:
        """The demonstrations as a file of prompts has them: its own, or those of a file that tasks share."""
        told = self.definition
        if isinstance(told, Ready) and told.examples:
            shared = _read(READY / f"{told.examples}.examples.yaml")
            return [Shown.model_validate(each).template() for each in shared]
        made = next((each for each in self.SOURCES.values() if isinstance(each, Generated)), None)
        if made:
            examples = puzzles.demonstrations(made.generator, made.sizes, PUZZLES)
            return [Shown.model_validate(each).template() for each in examples]
        return [each.template() for each in told.demonstrations]

    def prompts(self) -> dict[str, Any]:
        """The prompts of its kind, with its own instruction and demonstrations, as a prompt file has them."""
        told, made = self.definition, _read(Path(__file__).with_suffix(".yaml"))[self.kind.prompts]
        if told.instruction:
            made = {**made, "aim": told.instruction}
            made["generate"] = {**made["generate"], "instruction": told.instruction}
        return {**made, "demonstrations": self._shown}

    def load(self, rows: Rows) -> list[Question]:
        """A question a row, without those that demonstrations show.

        Raises ValueError where a column is missing, or a row lacks what it needs.
        """
        told = self.definition
        out = told.leave_out if isinstance(told, Ready) else ()
        made = [self._question(number, row) for number, row in enumerate(rows)]
        shown = {each["question"] for each in self._shown} | set(told.held_out)
        return [each for each in made if each.question not in shown and each.question_id not in out]

    def _question(self, number: int, row: Mapping[str, Any]) -> Question:
        told = self.definition
        row = row.get(getattr(told, "within", None) or "", row)
        identity = fields.text(row, told.identity) or f"{self.name}-{number:05d}"
        text = fields.text(row, told.question)
        try:
            options, place = options_of(row, told, text)
            if place is not None and told.letters:
                text, accepted = with_options(text, options), [ascii_uppercase[place], options[place]]
            else:
                given = fields.texts(row, told.answer) if place is None else [options[place]]
                accepted = [self._reference(each) for each in given]
        except ValueError as error:
            raise ValueError(f"row {number + 1}: {error}") from None
        if not text or not accepted:
            raise ValueError(f"row {number + 1} has no {'question' if not text else 'answer'}")
        return Question(identity, identity, text, tuple(dict.fromkeys(accepted)), self._details(row))

    def _reference(self, text: str) -> str:
        reference = self.kind.reference(text)
        if reference is None:
            raise ValueError(f"{text!r} is no {self.definition.grade}")
        return reference

    def _details(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What else is kept of a row: tests, known wrong answers, its level."""
        told = self.definition
        found = self.kind.tests(row)
        wrong, level = fields.texts(row, told.wrong), fields.text(row, told.level)
        if told.level_pattern:
            level = fields.found(told.level_pattern, level)
        return {name: each for name, each in {**found, "wrong": wrong, "level": level}.items() if each}

    def form(self, answer: str) -> str:
        return self.extract(answer) or answer

    def judged(self, readings: Mapping[str, float | None]) -> float | None:
        """What the judge read; None where it gave no reading."""
        return readings.get("judge")

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        """An obviously wrong answer in place of a wrong one, as its kind has them."""
        return self.kind.simplify(extracted, question, others, draw)


@cache
def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
