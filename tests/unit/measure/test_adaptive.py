"""Rules that decide while they go, replayed on pools whose outcome is known."""

import numpy as np
import pytest

from selfincorrect.measure.adaptive import DRAWS, allowed, needed_where_split, orders, split, stopped
from selfincorrect.measure.best_of import majority_of


def test_powers_of_two_and_the_whole_pool_are_looked_at():
    assert [allowed(1), allowed(6), allowed(8)] == [[1], [1, 2, 4, 6], [1, 2, 4, 8]]
    assert allowed(100) == [1, 2, 4, 8, 16, 32, 64, 100]


def test_votes_that_agree_stop_at_four():
    """Beta(a + 1, 1) is above one half with probability 1 − 2^−(a + 1): 0.94 for three, 0.97 for four."""
    found = stopped(["a"] * 8, [1.0] * 8)
    assert found.drawn == pytest.approx([1, 2, 4, 4])
    assert found.score == pytest.approx([1] * 4)


def test_votes_without_a_lead_go_on_to_the_end():
    found = stopped(["a", "b", "c", "d"], [1.0, 0.0, 0.0, 0.0])
    assert found.drawn == pytest.approx([1, 2, 4])
    assert found.score[-1] == pytest.approx(0.25)  # four answers share the choice


def test_a_vote_of_all_is_the_vote():
    forms, grades = ["a", "a", "b", None, "c", "c"], [1.0, 1.0, 0.0, 0.0, 0.5, 0.5]
    assert stopped(forms, grades).score[-1] == pytest.approx(majority_of(forms, grades)[-1])


def test_a_lead_of_four_to_one_is_not_decided():
    """P(Beta(5, 2) > 1/2) = 1 − 7/64 = 0.89; of five to one, Beta(6, 2), 1 − 8/128 = 0.94."""
    found = stopped(["a"] * 4 + ["b"], [1.0] * 4 + [0.0], seed=3)
    last = orders(5, 3)[:, 4] == 4  # the other answer comes last: four that agree stop before it
    assert found.drawn[-1] == pytest.approx(4 * last.mean() + 5 * (1 - last.mean()))


def test_the_model_is_asked_where_votes_are_split():
    forms, grades, scores = ["a", "a", "b", "c"], [0.0, 0.0, 1.0, 0.0], [0.1, 0.1, 0.9, 0.2]
    half, more = split(forms, grades, scores, 0.5), split(forms, grades, scores, 0.75)
    assert (half.asked[-1], half.score[-1]) == (0, 0.0)  # two of four is half
    assert (more.asked[-1], more.score[-1]) == (1, 1.0)
    assert half.asked[0] == more.asked[0] == 0  # one candidate is no split
    pairs = np.array([sorted(row) for row in orders(4, 0)[:, :2]])
    apart = (pairs != [0, 1]).any(axis=1)
    assert more.asked[1] == pytest.approx(apart.mean()) == pytest.approx(5 / 6)


@pytest.mark.parametrize("n", [3, 5, 6, 32, 300])
def test_each_candidate_comes_first_equally_often(n):
    first = np.bincount(orders(n, 1)[:, 0], minlength=n)
    assert (first == first[0]).all()
    assert len(orders(n, 1)) >= min(DRAWS, 6)
    assert (np.sort(orders(n, 1)) == np.arange(n)).all()


def test_candidates_without_a_score_are_not_chosen():
    assert split(["a", "b"], [1.0, 0.0], [None, 0.5], 1.0).score[-1] == 0.0
    assert split(["a", "b"], [1.0, 0.0], [None, None], 1.0).score[-1] == 0.0, "invalid: the lowest grade"


def test_requests_are_made_where_votes_are_split_and_their_candidates_are_there():
    """Of two of a, a, a, d those with d are split: three of six, which have either of two a in two."""
    slots = [[[0, 1]], [[3]], [[0, 1], [3]], [[0, 1], [0, 1]]]
    found = needed_where_split(["a", "a", "a", "d"], slots, 0.75)
    assert found[:, allowed(4).index(2)] == pytest.approx([2 / 6, 3 / 6, 2 / 6, 0])
    assert found[:, -1] == pytest.approx([0, 0, 0, 0]), "three of four are no split"
    assert needed_where_split(["a", "a", "a", "d"], slots, 0.8)[:, -1] == pytest.approx([1, 1, 1, 1])
