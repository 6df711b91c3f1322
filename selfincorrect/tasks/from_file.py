"""Tasks that a configuration describes: a file of questions, its columns, and how answers are graded."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any, Literal, get_args

import yaml
from pydantic import Field

from selfincorrect.engines import thoughts
from selfincorrect.sections import Section
from selfincorrect.sources.kinds import Source
from selfincorrect.tasks import aliases, gsm8k
from selfincorrect.tasks.base import Grading, Question, Rows, answer_elsewhere

Grade = Literal["aliases", "exact", "number", "choice", "regex"]
GRADES: tuple[str, ...] = get_args(Grade)
_LETTER = re.compile(r"^\W*([A-Z])(?:[.):,\s]*$|[.):,]\s)")
_FORMS = {"choice": "choice", "number": "worked", "regex": "worked"}


class Shown(Section):
    """A solved example: a question, its answer, and wrong answers to choose among."""

    question: str = Field(description="A question that is none of the file's.")
    answer: str = Field(description="Its right answer, as a model should write it.")
    wrong: list[str] = Field(min_length=1, description="Wrong answers, as a model might write them.")


class Definition(Section):
    """What a configuration says of a task of its own."""

    question: str
    answer: str | list[str]
    grade: Grade = "aliases"
    options: str | list[str] | None = None
    pattern: str | None = None
    identity: str | None = None
    instruction: str | None = None
    demonstrations: list[Shown] = Field(default_factory=list)


@dataclass(frozen=True)
class FileTask:
    """A task as `tasks.base` describes one, made of its name and its definition."""

    name: str
    definition: Definition

    @property
    def SOURCES(self) -> Mapping[str, Source]:  # noqa: N802
        return {}  # the configuration names the file

    @property
    def CHOICE_TOKENS(self) -> int:  # noqa: N802
        return 192

    @property
    def SHOTS(self) -> int:  # noqa: N802
        return len(self.definition.demonstrations)

    @property
    def ANSWER_TOKENS(self) -> int:  # noqa: N802
        return 256 if self._form == "worked" else 32

    @property
    def COLUMNS(self) -> str:  # noqa: N802
        return ", ".join(f"`{name}`" for name in self._columns)

    @property
    def NUMBERS(self) -> re.Pattern[str] | None:  # noqa: N802
        return gsm8k.NUMBERS if self.definition.grade == "number" else None

    @property
    def GRADINGS(self) -> Mapping[str, Grading]:  # noqa: N802
        return {self.definition.grade: (self.extract, self.grade)}

    @property
    def _form(self) -> str:
        return _FORMS.get(self.definition.grade, "short")

    @property
    def _columns(self) -> list[str]:
        told = self.definition
        wanted = [[told.question], _list(told.answer), _list(told.options), _list(told.identity)]
        return list(dict.fromkeys(name for each in wanted for name in each))

    def prompts(self) -> dict[str, Any]:
        """The prompts of its kind, with its own instruction and demonstrations, as a prompt file has them."""
        told, made = self.definition, _prompts()[self._form]
        if told.instruction:
            made = {**made, "aim": told.instruction}
            made["generate"] = {**made["generate"], "instruction": told.instruction}
        shown = [
            {
                "question": each.question,
                "right": {"text": each.answer, "remark": "is right."},
                "wrong": [{"text": text, "remark": "is wrong."} for text in each.wrong],
            }
            for each in told.demonstrations
        ]
        return {**made, "demonstrations": shown}

    def load(self, rows: Rows) -> list[Question]:
        """A question a row. Raises ValueError where a column is missing, or a row lacks what it needs."""
        questions, told = [], self.definition
        for number, row in enumerate(rows):
            if missing := [name for name in self._columns if name not in row]:
                there = ", ".join(f"`{name}`" for name in row)
                raise ValueError(f"no column `{missing[0]}`; there are: {there}")
            text, accepted = str(row[told.question] or "").strip(), self._accepted(row)
            if not text or not accepted:
                what = "question" if not text else "answer"
                raise ValueError(f"row {number + 1} has no {what}")
            options = _texts(row, told.options)
            if options:
                lines = [
                    f"{letter}. {option}" for letter, option in zip(ascii_uppercase, options, strict=False)
                ]
                text, accepted = "\n".join([text, *lines]), _letters(accepted, options, number)
            identity = str(row[told.identity]) if told.identity else f"{self.name}-{number:05d}"
            questions.append(Question(identity, identity, text, tuple(accepted)))
        return questions

    def _accepted(self, row: Mapping[str, Any]) -> list[str]:
        """The answers of a row, in their normal form where the grade has one."""
        texts = _texts(row, self.definition.answer)
        if self.definition.grade == "number":
            numbers = [gsm8k.number(text) or gsm8k.extract(text) for text in texts]
            if None in numbers:
                raise ValueError(f"{texts[numbers.index(None)]!r} is no number")
            return [number for number in numbers if number is not None]
        return texts

    def trim(self, text: str) -> str:
        return gsm8k.trim(text) if self._form == "worked" else aliases.first_line(text)

    def final(self, text: str) -> str:
        return (self.extract(text) or "") if self._form == "worked" else aliases.first_line(text)

    def extract(self, text: str) -> str | None:
        """The normal form of an answer."""
        return self._extracting[self.definition.grade](text)

    @cached_property
    def _extracting(self) -> dict[str, Callable[[str], str | None]]:
        return {
            "aliases": aliases.extract,
            "exact": lambda text: " ".join(aliases.first_line(text).split()) or None,
            "number": gsm8k.extract,
            "choice": lambda text: _letter(aliases.first_line(text)) or aliases.extract(text),
            "regex": self._found,
        }

    def _found(self, text: str) -> str | None:
        found = re.findall(self.definition.pattern or "", thoughts.answer(text) or "")
        last = found[-1] if found else None
        return (last if isinstance(last, str) else "".join(last)).strip() or None if last else None

    def form(self, answer: str) -> str:
        return self.extract(answer) or answer

    def grade(self, extracted: str | None, question: Question) -> float:
        """1.0 if the normal form is that of an accepted answer, else 0.0."""
        if self.definition.grade in ("aliases", "choice"):
            accepted = {_letter(each) or aliases.normalise(each) for each in question.references}
        elif self.definition.grade == "exact":
            accepted = {" ".join(each.split()) for each in question.references}
        else:
            accepted = {each.strip() for each in question.references}
        return float(extracted is not None and extracted in accepted - {""})

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        """The answer to another question, which is wrong for this one."""
        return answer_elsewhere(
            question, others, draw, lambda other: other.references[0], (self.extract, self.grade)
        )


def _prompts() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]]
    found = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return found


def _list(names: str | Sequence[str] | None) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def _texts(row: Mapping[str, Any], names: str | Sequence[str] | None) -> list[str]:
    """What the columns `names` of a row hold, lists one by one; nothing for what is empty."""
    values = [row[name] for name in _list(names)]
    flat = [item for value in values for item in (value if isinstance(value, list | tuple) else [value])]
    return [str(item).strip() for item in flat if item is not None and str(item).strip()]


def _letter(text: str) -> str | None:
    """The letter that an answer begins with, where it stands for an option."""
    match = _LETTER.match(text.strip())
    return match[1] if match else None


def _letters(accepted: Sequence[str], options: Sequence[str], number: int) -> list[str]:
    """The letter and the text of the right option, which a row gives as either, or as its number from 0."""
    letters = ascii_uppercase[: len(options)]
    for answer in accepted:
        if answer in options:
            place = list(options).index(answer)
        elif len(answer) == 1 and answer in letters:
            place = letters.index(answer)
        elif answer.isdigit() and int(answer) < len(options):
            place = int(answer)
        else:
            raise ValueError(
                f"row {number + 1}: the answer {answer!r} is none of the options {list(options)}"
            )
        return [letters[place], options[place]]
    raise ValueError(f"row {number + 1} has no answer")
