"""Short answers that are right if they equal one of several accepted spellings."""

import re
import string
from collections.abc import Callable, Sequence
from random import Random

from selfincorrect.engines import thoughts
from selfincorrect.tasks.base import Question, answer_elsewhere

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "‘’´`", " "))
_DELETED = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalise(text: str) -> str:
    """TriviaQA's official normal form: lower case, punctuation to spaces, no articles, single spaces."""
    text = text.replace("_", " ").lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def normalise_lm_eval(text: str) -> str:
    """lm-evaluation-harness's normal form: lower case, ASCII punctuation deleted, stripped."""
    return text.lower().translate(_DELETED).strip()


def first_line(text: str) -> str:
    """The first line of the answer that is not empty.

    It is never cut at a full stop: that would truncate initials.
    """
    return (thoughts.answer(text) or "").strip().split("\n", 1)[0].strip()


def extract(text: str) -> str | None:
    return normalise(first_line(text)) or None


def grade(extracted: str | None, question: Question) -> float:
    """1.0 if the normal form equals that of any reference, else 0.0. An empty reference matches nothing."""
    return _matches(extracted, question, normalise)


def _matches(extracted: str | None, question: Question, form: Callable[[str], str]) -> float:
    accepted = {form(reference) for reference in question.references} - {""}
    return float(extracted in accepted)


def extract_lm_eval(text: str) -> str | None:
    return normalise_lm_eval(first_line(text)) or None


def grade_lm_eval(extracted: str | None, question: Question) -> float:
    """The grade as of `grade`, in the normal form of lm-evaluation-harness."""
    return _matches(extracted, question, normalise_lm_eval)


def form(answer: str) -> str:
    """The normal form of an answer; the text itself where nothing is left of it."""
    return normalise(answer) or answer


def another_answer(question: Question, others: Sequence[Question], draw: Random) -> str:
    """A right answer to another question that is wrong for this one; see `answer_elsewhere`."""
    return answer_elsewhere(question, others, draw, lambda other: other.references[0], (extract, grade))
