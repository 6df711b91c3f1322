"""Short answers that are right if they equal one of several accepted spellings."""

import re
import string
from collections.abc import Sequence
from random import Random

from selfincorrect.tasks.base import Question

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "‘’´`", " "))
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalise(text: str) -> str:
    """TriviaQA's official normal form: lower case, punctuation to spaces, no articles, single spaces."""
    text = text.replace("_", " ").lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def first_line(text: str) -> str:
    """The first line that is not empty. Never cut at a full stop: that would truncate initials."""
    return text.strip().split("\n", 1)[0].strip()


def extract(text: str) -> str | None:
    return normalise(first_line(text)) or None


def grade(extracted: str | None, question: Question) -> float:
    """1.0 if the normal form equals that of any reference, else 0.0. An empty reference matches nothing."""
    accepted = {normalise(reference) for reference in question.references} - {""}
    return float(extracted in accepted)


def another_answer(question: Question, others: Sequence[Question], draw: Random) -> str:
    """A right answer to another question that is wrong for this one (Figure 9's recipe for TriviaQA).

    Raises ValueError if none is found in 1,000 draws.
    """
    for _ in range(1000):
        answer = draw.choice(others).references[0]
        if extract(answer) and not grade(extract(answer), question):
            return answer
    raise ValueError(f"no wrong answer among the other questions for {question.question_id}")
