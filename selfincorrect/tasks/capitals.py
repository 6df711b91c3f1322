"""Capitals: the 193 member states of the United Nations, and their capitals (our own table).

The table has accepted spellings of the capitals too.
"""

from collections.abc import Sequence
from random import Random

from selfincorrect.sources.kinds import PackagedFile
from selfincorrect.tasks import aliases
from selfincorrect.tasks.base import Question, Rows

SOURCES = {"table": PackagedFile(name="tasks/capitals.csv", license="MIT, as this package")}
COLUMNS = "`country`, `capital`, `accepted` (other spellings, parted by ;)"
SHOTS = 2
ANSWER_TOKENS = 16
CHOICE_TOKENS = 192


def load(rows: Rows) -> list[Question]:
    """One question a country, in the table's order; references are the capital and its other spellings."""
    questions = []
    for row in rows:
        identity = "capitals-" + aliases.normalise(row["country"]).replace(" ", "-")
        text = f"What is the capital of {row['country']}?"
        references = (row["capital"], *filter(None, (row["accepted"] or "").split(";")))
        questions.append(Question(identity, identity, text, references))
    return questions


trim = aliases.first_line
final = aliases.first_line
extract = aliases.extract
grade = aliases.grade
form = aliases.form
GRADINGS = {"aliases": (extract, grade)}


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """Another country's capital in place of the wrong one."""
    return aliases.another_answer(question, others, draw)
