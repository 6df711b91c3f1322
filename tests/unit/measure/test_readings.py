"""What readings in several orders tell, by hand and against all subsets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.measure.best_of import compared_of
from selfincorrect.measure.readings import Spread, chances, spread, triads


def read(*rows):
    return [{"samples": list(samples), "shares": list(shares)} for samples, shares in rows]


def test_candidates_or_slots():
    by_content = read(((0, 1), (0.8, 0.2)), ((1, 0), (0.2, 0.8)))
    by_slot = read(((0, 1), (0.8, 0.2)), ((1, 0), (0.8, 0.2)))
    assert spread(by_content) == pytest.approx((4 * 0.3**2, 0))
    assert spread(by_slot) == pytest.approx((0, 4 * 0.3**2))
    assert (spread(by_content) + spread(by_slot)).share == pytest.approx(0.5)
    assert spread(by_content[:1]) == Spread(0, 0), "one order tells nothing"
    assert Spread(0.0, 0.0).share is None
    turns = read(((0, 1, 2), (0.6, 0.3, 0.1)), ((1, 2, 0), (0.4, 0.2, 0.4)), ((2, 0, 1), (0.2, 0.5, 0.3)))
    means, slots = np.array([0.5, 1 / 3, 1 / 6]), np.array([0.4, 1 / 3, 0.8 / 3])
    expected = [3 * ((each - 1 / 3) ** 2).sum() for each in (means, slots)]
    assert spread(turns) == pytest.approx(expected)


def test_chances_are_of_both_orders():
    found = chances(read(((0, 1), (0.9, 0.1)), ((1, 0), (0.4, 0.6)), ((0, 2), (0.7, 0.3))), 3)
    assert found[0, 1] == pytest.approx((0.9 + 0.6) / 2)
    assert found[0, 1] + found[1, 0] == pytest.approx(1)
    assert np.isnan(found[0, 2])


def beaten(*pairs):
    chance = np.full((3, 3), np.nan)
    for one, other in pairs:
        chance[one, other], chance[other, one] = 0.9, 0.1
    return chance


def test_triples_that_go_round():
    assert triads(beaten((0, 1), (1, 2), (2, 0))) == (1, 1)
    assert triads(beaten((0, 1), (1, 2), (0, 2))) == (1, 0)
    assert triads(beaten((0, 1), (1, 2))) == (0, 0)
    drawn = beaten((0, 1), (1, 2), (2, 0))
    drawn[0, 1] = drawn[1, 0] = 0.5
    assert triads(drawn) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_best_of_comparisons_is_the_mean_over_all_subsets(data):
    n = data.draw(st.integers(1, 6))
    grades = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=n, max_size=n))
    chance = np.full((n, n), np.nan)
    for one, other in combinations(range(n), 2):
        chance[one, other] = data.draw(st.sampled_from([0.0, 0.25, 0.5, 0.75]))
        chance[other, one] = 1 - chance[one, other]
    for j, found in enumerate(compared_of(chance, grades), 1):
        each = []
        for subset in combinations(range(n), j):
            means = [np.mean([chance[i, o] for o in subset if o != i] or [0.5]) for i in subset]
            best = [i for i, mean in zip(subset, means, strict=True) if mean >= max(means) - 1e-9]
            each.append(np.mean([grades[i] for i in best]))
        assert found == pytest.approx(np.mean(each))
