"""Constrained generation: one sentence that uses all of three to six given words (our own word lists)."""

from collections.abc import Sequence
from random import Random

from selfincorrect.sources.kinds import PackagedFile
from selfincorrect.tasks import aliases, writing
from selfincorrect.tasks.base import Question, Rows, answer_elsewhere

SOURCES = {"table": PackagedFile(name="tasks/constrained_generation.csv", license="MIT, as this package")}
COLUMNS = "`words` (parted by ;) and `example`"
SHOTS = 2
ANSWER_TOKENS = 64
CHOICE_TOKENS = 192


def load(rows: Rows) -> list[Question]:
    """One question a row; references are a sentence that uses all the words, then the words."""
    questions = []
    for index, row in enumerate(rows):
        words = row["words"].split(";")
        identity = f"constrained_generation-{index:03d}"
        questions.append(Question(identity, identity, f"Words: {', '.join(words)}", (row["example"], *words)))
    return questions


trim = aliases.first_line
final = aliases.first_line
extract = writing.extract_sentence
form = writing.form


def coverage(extracted: str | None, question: Question) -> float:
    """The share of the words that occur in the sentence, each as a word, in any case and regular inflection.

    `writing.inflections` says which: -s, -es, -d, -ed and -ing with the changes of spelling that they bring.
    It is 0.0 for an empty answer, or if there are no words.
    """
    words = question.references[1:]
    if extracted is None or not words:
        return 0.0
    return sum(writing.occurs(word, extracted) for word in words) / len(words)


def grade(extracted: str | None, question: Question) -> float:
    """1.0 if all words occur in the sentence (see `coverage`), else 0.0."""
    return float(coverage(extracted, question) == 1)


GRADINGS = {"all": (extract, grade), "coverage": (extract, coverage)}


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """A right sentence for the words of another question (Figure 9)."""
    return answer_elsewhere(question, others, draw, lambda other: other.references[0], (extract, grade))
