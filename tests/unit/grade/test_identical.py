"""Identical answers have one grade, and only those."""

import polars as pl
import pytest

from selfincorrect.grade.identical import with_one_grade
from selfincorrect.tasks.base import Question

ALONE = {"q": Question("q", "q", "?", ())}
TURNS = {name: Question(name, "m", "?", ()) for name in ("t1", "t2")}


def pool(**texts):
    rows = [(name, sample, text) for name, each in texts.items() for sample, text in enumerate(each)]
    schema = {"question_id": pl.String, "sample": pl.Int32, "text": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("texts", "grades", "one", "noisy"),
    [
        (["a", "a", "b"], [1, 0, 1], [0.5, 0.5, 1], [True, True, False]),
        (["a", "a", "b"], [1, 1, 0], [1, 1, 0], [False, False, False]),
        (["a", "a ", "A"], [1, 0, 0], [1, 0, 0], [False] * 3),
        ([None, None], [0, 1], [0, 1], [False] * 2),
        (["a", "a"], [None, 8], [8, 8], [False] * 2),  # the same answer, rated once
        (["a", "a"], [None, None], [None, None], [False] * 2),
        (["a", "a", "a"], [4, 4, 7], [5, 5, 5], [True] * 3),
        (["", ""], [1, 0], [0.5, 0.5], [True] * 2),
    ],
)
def test_one_question(texts, grades, one, noisy):
    assert with_one_grade(pool(q=texts), grades, ALONE) == (one, noisy)


def test_other_questions_are_other_answers():
    questions = ALONE | {"r": Question("r", "r", "?", ())}
    assert with_one_grade(pool(q=["a"], r=["a"]), [0, 1], questions) == ([0, 1], [False] * 2)


def test_later_turns_are_the_same_where_earlier_ones_are():
    table = pool(t1=["a", "a", "b"], t2=["c", "c", "c"])
    one, noisy = with_one_grade(table, [2, 4, 9, 5, 6, 10], TURNS)
    assert one == [3, 3, 9, 5.5, 5.5, 10]
    assert noisy == [True, True, False, True, True, False]
