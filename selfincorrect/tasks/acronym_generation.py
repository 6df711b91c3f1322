"""Acronym generation: an acronym for the title of an invented project (our own table)."""

import re
import string
from collections.abc import Sequence
from random import Random

from selfincorrect.sources.kinds import PackagedFile
from selfincorrect.tasks import aliases
from selfincorrect.tasks.base import Question, Rows, answer_elsewhere

SOURCES = {"table": PackagedFile(name="tasks/acronym_generation.csv", license="MIT, as this package")}
COLUMNS = "`title`"
SHOTS = 2
ANSWER_TOKENS = 16
CHOICE_TOKENS = 192

_LETTERS = re.compile(r"[A-Z]{2,10}")


def load(rows: Rows) -> list[Question]:
    """One question a row; references are the title's initials, which are always right, then the title."""
    questions = []
    for index, row in enumerate(rows):
        title = row["title"]
        initials = "".join(word[0] for word in title.split()).upper()
        identity = f"acronym_generation-{index:03d}"
        questions.append(Question(identity, identity, f"Title: {title}", (initials, title)))
    return questions


def extract(text: str) -> str | None:
    """The first word in capitals of the first line, or else its first word.

    Of "The acronym is SOLAR." it is "SOLAR". It is given in capitals, without the punctuation around it and
    without full stops; a single capital letter is no such word.
    """
    around = string.punctuation + "“”‘’"
    words = [word.replace(".", "").strip(around) for word in aliases.first_line(text).split()]
    words = [word for word in words if word]
    capitals = [word for word in words if word.isupper() and len(word) > 1]
    return next(iter(capitals + words), "").upper() or None


def final(text: str) -> str:
    """The acronym alone, in capitals."""
    return extract(text) or ""


def most_initials(acronym: str, title: str) -> int:
    """The most letters of the acronym that can be initials where its letters are found in the title.

    They are found in order, and the first letter must be the title's first; it is 0 if the acronym cannot be
    found.
    """
    letters = [(letter, place == 0) for word in title.upper().split() for place, letter in enumerate(word)]
    if not acronym or not letters or letters[0][0] != acronym[0]:
        return 0
    most = {1: 1}  # length of the part found so far -> its initials
    for letter, initial in letters[1:]:
        for length in sorted(most, reverse=True):
            if length < len(acronym) and acronym[length] == letter:
                most[length + 1] = max(most.get(length + 1, 0), most[length] + initial)
    return most.get(len(acronym), 0)


def grade(extracted: str | None, question: Question) -> float:
    """1.0 for 2 to 10 letters A to Z that are found in the title as follows, else 0.0.

    The first is the first letter of the title; the others are letters of the title after it, in the order of
    the title; and they can be found such that at least half of all (the first included) are initials of the
    title's words.
    """
    if extracted is None or not _LETTERS.fullmatch(extracted):
        return 0.0
    initials = most_initials(extracted, question.references[-1])
    return float(initials > 0 and 2 * initials >= len(extracted))


trim = aliases.first_line
GRADINGS = {"rule": (extract, grade)}


def form(answer: str) -> str:
    return extract(answer) or answer


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """The initials of another title (Figure 9)."""
    return answer_elsewhere(question, others, draw, lambda other: other.references[0], (extract, grade))
