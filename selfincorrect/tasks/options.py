"""Options of a question: put below it as A, B, C, …, and which of them is right."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from selfincorrect.digest import seed_of
from selfincorrect.tasks import fields
from selfincorrect.tasks.definition import Definition


def with_options(question: str, options: Sequence[str]) -> str:
    """The question with its options below it, a line each.

    Raises ValueError for more of them than there are letters.
    """
    if len(options) > len(ascii_uppercase):
        raise ValueError(f"{len(options)} options are more than there are letters")
    lines = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, options, strict=False)]
    return "\n".join([question, *lines])


def options_of(row: Mapping[str, Any], told: Definition, question: str) -> tuple[list[str], int | None]:
    """The options of a row in the order shown, and the place of the right one; none without options.

    The answer is an option's own label, its text, its letter, or its number from 0. Raises ValueError where
    it is none of these.
    """
    options = fields.texts(row, told.options)
    if not options:
        return [], None
    answer = (fields.texts(row, told.answer) or [""])[0]
    place = _place(answer, options, fields.texts(row, told.labels))
    if not told.shuffle:
        return options, place
    order = sorted(range(len(options)), key=lambda each: seed_of("options", question, options[each], each))
    return [options[each] for each in order], order.index(place)


def _place(answer: str, options: Sequence[str], labels: Sequence[str]) -> int:
    letters = ascii_uppercase[: len(options)]
    if labels:
        if answer in labels:
            return list(labels).index(answer)
        raise ValueError(f"the answer {answer!r} is none of the labels {list(labels)}")
    if answer in options:
        return list(options).index(answer)
    if len(answer) == 1 and answer in letters:
        return letters.index(answer)
    if answer.isdecimal() and int(answer) < len(options):
        return int(answer)
    raise ValueError(f"the answer {answer!r} is none of the options {list(options)}")
