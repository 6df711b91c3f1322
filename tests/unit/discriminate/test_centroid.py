"""Choices of the answer that is most like the others."""

from random import Random

import pytest

from selfincorrect.discriminate.asked import best_of
from selfincorrect.discriminate.selectors.base import Given
from selfincorrect.discriminate.selectors.registry import rule
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.variant import Variant

CENTROID = rule(Variant(selector="centroid"))


def scores(*candidates):
    return CENTROID.scores([Candidate(*each) for each in candidates], Given(Variant(), Random(0), {}))


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (["4", "4", "5"], [0.5, 0.5, 0.0]),
        (["4", "5", "6"], [0.0, 0.0, 0.0]),
        (["4", None, None], [0.0, 0.0, 0.0]),
        (["4", "4", "4", "4"], [1.0] * 4),
    ],
)
def test_short_answers_agree_by_normal_form(forms, expected):
    assert scores(*[(f"It is {form}.", form) for form in forms]) == pytest.approx(expected)


OPEN = ("Store it in a cool and dark place", "Keep it in a cool and dark place", "Throw it out of a window")


def test_open_answers_agree_by_their_words():
    found = scores(*[(text,) for text in OPEN])
    # Longest common subsequences: 7 of 8 words of the first two, "it a" of either with the 6 of the third.
    assert found == pytest.approx([(7 / 8 + 2 * 2 / 14) / 2, (7 / 8 + 2 * 2 / 14) / 2, 2 * 2 / 14])
    assert best_of(found) == (0, 1)


def test_long_normal_forms_are_texts():
    long = [f"{text} says the old proverb" for text in OPEN]
    assert best_of(scores(*[(text, text.lower()) for text in long])) == (0, 1)


def test_texts_are_cut_and_nothing_is_like_nothing():
    same = "word " * 500
    assert scores((same + "one",), (same + "two",)) == [1.0, 1.0]
    assert scores((None,), ("",), ("a b",)) == [0.0, 0.0, 0.0]
