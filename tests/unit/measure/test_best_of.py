"""Best of j against every subset."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.discriminate.asked import best_of as winners
from selfincorrect.measure import best_of as module
from selfincorrect.measure.best_of import best_of, majority_of
from selfincorrect.measure.scores import majority_grade

SCORE = st.sampled_from([None, -1.5, 0.0, 0.25, 3.0])
GRADE = st.sampled_from([0.0, 1.0, 0.5])


def chosen(scores, grades):
    best = winners(scores)
    return np.mean([grades[place] for place in best]) if best else min(grades)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SCORE, GRADE), min_size=1, max_size=8))
def test_it_is_the_mean_over_all_subsets(pool):
    scores, grades = zip(*pool, strict=True)
    for j, found in enumerate(best_of(scores, grades), 1):
        subsets = list(combinations(range(len(pool)), j))
        each = [chosen([scores[i] for i in s], [grades[i] for i in s]) for s in subsets]
        assert found == pytest.approx(np.mean(each))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), GRADE), min_size=1, max_size=7))
def test_the_vote_is_the_mean_over_all_subsets(pool):
    forms, grades = zip(*pool, strict=True)
    for j, found in enumerate(majority_of(forms, grades, 3), 1):
        subsets = list(combinations(range(len(pool)), j))
        each = [majority_grade([forms[i] for i in s], [grades[i] for i in s]) for s in subsets]
        assert found == pytest.approx(np.mean(each))


def test_many_subsets_are_drawn_by_seed(monkeypatch):
    forms, grades = ["a"] * 5 + ["b"] * 4 + [None] * 2, [1.0] * 5 + [0.0] * 6
    exact = majority_of(forms, grades, 3)
    monkeypatch.setattr(module, "MOST", 20)
    module.subsets.cache_clear()
    drawn = majority_of(forms, grades, 3)
    assert not (drawn == exact).all()
    assert drawn == pytest.approx(exact, abs=0.06)
    assert drawn[[0, -1]] == pytest.approx(exact[[0, -1]])
    module.subsets.cache_clear()


def test_ends_are_drawing_one_and_having_all():
    scores, grades = [0.1, 0.9, 0.9, 0.4], [0.0, 1.0, 0.0, 1.0]
    found = best_of(scores, grades)
    assert (found[0], found[-1]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert best_of(grades, grades)[-1] == 1
    assert best_of([None] * 4, grades) == pytest.approx([0.5, 1 / 6, 0, 0])
