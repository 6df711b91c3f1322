"""Sentiment reversal: a short review is rewritten so that it says the opposite.

The reviews are our own; VADER grades.
"""

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from selfincorrect.sources.kinds import PackagedFile
from selfincorrect.tasks import aliases, writing
from selfincorrect.tasks.base import Question, Rows, answer_elsewhere

SOURCES = {"table": PackagedFile(name="tasks/sentiment_reversal.csv", license="MIT, as this package")}
COLUMNS = "`review`, `sentiment` (positive or negative), `word`"
SHOTS = 2
ANSWER_TOKENS = 64
CHOICE_TOKENS = 192

OPPOSITE = {"positive": "negative", "negative": "positive"}
LONGEST = 10_000  # characters that VADER is given: its time grows with their square
NEUTRAL = 0.05  # VADER's compound scores nearer to 0 than this are neutral, as its authors advise
_BEFORE_REVIEW = '"): '


def load(rows: Rows) -> list[Question]:
    """One question a row; references are the sentiment wanted, then the noun that must still occur."""
    questions = []
    for index, row in enumerate(rows):
        identity = f"sentiment_reversal-{index:03d}"
        text = f'Review (keep the word "{row["word"]}{_BEFORE_REVIEW}{row["review"]}'
        questions.append(Question(identity, identity, text, (OPPOSITE[row["sentiment"]], row["word"])))
    return questions


@cache
def _analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # slow to import

    return SentimentIntensityAnalyzer()


def sentiment(text: str) -> str:
    """The sentiment of a text, "positive", "negative" or "neutral", by VADER's compound score."""
    score = _analyzer().polarity_scores(text[:LONGEST])["compound"]
    return "positive" if score >= NEUTRAL else "negative" if score <= -NEUTRAL else "neutral"


trim = aliases.first_line
final = aliases.first_line
extract = writing.extract_line
form = writing.form


def grade(extracted: str | None, question: Question) -> float:
    """1.0 if the noun occurs and the sentiment is the one wanted, else 0.0.

    The noun occurs in any case and regular inflection.
    """
    wanted, *nouns = question.references
    if extracted is None or not all(writing.occurs(noun, extracted) for noun in nouns):
        return 0.0
    return float(sentiment(extracted) == wanted)


GRADINGS = {"vader": (extract, grade)}


def _review(question: Question) -> str:
    return question.question.partition(_BEFORE_REVIEW)[2]


def simplify(extracted: str | None, question: Question, others: Sequence[Question], draw: Random) -> str:
    """A review of something else (Figure 9)."""
    return answer_elsewhere(question, others, draw, _review, (extract, grade))
