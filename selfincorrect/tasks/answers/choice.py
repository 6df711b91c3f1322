"""Answers that name one of a question's options, by its letter or by its text."""

import re
from collections.abc import Sequence

from selfincorrect.tasks import aliases
from selfincorrect.tasks.answers.base import Kind

_FIRST = re.compile(r"^\W*([A-Z])(?:[\W_]*$|[.):,*]+\s)")
_NAMED = re.compile(
    r"\b(?i:answer|option|choice)(?i:\s+is)?\W{0,6}(?:(?i:option)\s)?\W{0,3}([A-Z])(?![\w'])(?!\s+[a-z])"
)


class Choice(Kind):
    """The letter that an answer begins with, or the last one that it names as the answer; without one, the
    option's text.
    """

    prompts = "choice"

    def extract(self, text: str) -> str | None:
        line = aliases.first_line(text)
        return letter(line) or aliases.extract(line)

    def accepted(self, references: Sequence[str]) -> set[str]:
        return {form for each in references if (form := letter(each) or aliases.normalise(each))}


def letter(text: str) -> str | None:
    """The letter of an option that a line stands for, None if it stands for none."""
    if match := _FIRST.match(text.strip()):
        return match[1]
    named = _NAMED.findall(text)
    return named[-1] if named else None
