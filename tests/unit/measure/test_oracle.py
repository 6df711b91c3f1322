"""The oracle that one rating chooses and another scores."""

import numpy as np
import pytest

from selfincorrect.measure.scores import cross_fitted


def test_cross_fitted_oracle_by_hand():
    first, second = np.array([[1.0, 5.0], [7.0, 7.0]]), np.array([[4.0, 2.0], [6.0, 8.0]])
    apart = cross_fitted(first, second, np.array(["a", "b"]))
    # Best by the first: 5, then both; by the second: 4, then 8. Scored by the other: 2, 7, and 1, 7.
    assert apart == pytest.approx(np.mean([2, 7, 1, 7]))
    # Together, as turns of one conversation: 12 against 8 by the first, two that tie by the second.
    assert cross_fitted(first, second, np.array(["a", "a"])) == pytest.approx(np.mean([2, 8, 3, 7]))


def test_equal_answers_have_no_headroom_across_ratings():
    rng = np.random.default_rng(0)
    first, second = rng.integers(4, 9, (2, 3000, 4)).astype(float)
    names = np.arange(3000)
    assert cross_fitted(first, second, names) == pytest.approx(first.mean(), abs=0.06)
    assert first.max(axis=1).mean() > first.mean() + 1
