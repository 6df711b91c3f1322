"""What scores say: by hand, and against the definitions written out."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.measure.confidence import (
    BINS,
    accuracy_by_margin,
    beating,
    calibration_error,
    confidence,
    margins_of,
)


@pytest.mark.parametrize(
    ("grades", "scores", "share"),
    [
        ([1, 0], [0.9, 0.1], 1.0),
        ([1, 0], [0.1, 0.9], 0.0),
        ([1, 0], [0.5, 0.5], 0.5),
        ([1, 0, 0], [0.5, 0.1, 0.9], 0.5),
        ([1, 1, 0], [None, 0.9, 0.1], 1.0),
        ([8, 5, 5], [3, 2, 3], 0.75),
    ],
)
def test_right_candidates_beat_wrong_ones(grades, scores, share):
    assert beating(grades, scores) == pytest.approx(share)


@pytest.mark.parametrize(("grades", "scores"), [([1, 1], [0.9, 0.1]), ([1, 0], [None, 0.1]), ([1, 0], None)])
def test_nothing_to_compare(grades, scores):
    assert np.isnan(beating(grades, scores))


def table(scores, extracted, probabilities=True, chosen=0):
    return pl.DataFrame(
        {
            "scores": pl.Series([scores], dtype=pl.List(pl.Float64)), "probabilities": [probabilities],
            "extracted": [extracted], "chosen_sample": pl.Series([chosen], dtype=pl.Int32),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "forms", "probabilities", "margin"),
    [
        ([0.9, 0.2, 0.6], ["a", "b", "c"], True, 0.3),
        ([0.9, 0.9, 0.6], ["a", "a", "c"], True, 0.3),  # one answer, twice
        ([0.9, 0.9, 0.6], ["a", "b", "c"], True, 0.0),
        ([0.9, 0.9, 0.6], [None, None, None], True, 0.0),
        ([0.5, 0.5], ["a", "a"], True, 0.5),
        ([5, 5], ["a", "a"], False, np.inf),
        ([None, 4, 3], ["a", "b", "c"], False, 1.0),
        (None, ["a", "b"], True, None),
        ([None, None], ["a", "b"], True, None),
    ],
)
def test_margin_to_the_next_other_answer(scores, forms, probabilities, margin):
    [found] = margins_of(table(scores, forms, probabilities))
    assert found == (None if margin is None else pytest.approx(margin))
    assert margins_of(table(scores, forms, chosen=None)) == [None]


def test_accuracy_of_the_surest():
    margins, c = np.array([0.1, 0.9, 0.5, 0.5]), np.array([0.0, 1.0, 1.0, 0.0])
    assert accuracy_by_margin(margins, c) == pytest.approx([1, 0.75, 2 / 3, 0.5])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=30))
def test_calibration_error_is_that_of_equal_bins_of_equal_ones(drawn):
    said, c = np.array([p / 4 for p, _ in drawn]), np.array([right for _, right in drawn], dtype=float)
    # Written out: each question in as many equal parts as there are bins, equal probabilities alike.
    rate = {p: c[said == p].mean() for p in set(said)}
    parts = [p for p in sorted(said) for _ in range(BINS)]
    bins = np.array_split(np.array(parts), BINS)
    expected = sum(abs(np.mean([p - rate[p] for p in each])) * len(each) for each in bins) / len(parts)
    row = calibration_error(said, c, np.arange(len(c)), 0)
    assert row["ece"] == pytest.approx(expected)
    assert 0 <= row["ece_low"] <= row["ece_high"] <= 1


def test_probabilities_that_come_true():
    rng = np.random.default_rng(3)
    p = rng.choice([0.1, 0.5, 0.9], 4000)
    c = (rng.random(4000) < p).astype(float)
    row = calibration_error(p, c, np.arange(4000), 0)
    assert row["ece"] < 0.02
    assert calibration_error(np.full(4000, 0.9), c, np.arange(4000), 0)["ece"] == pytest.approx(0.4, abs=0.03)


def cell(scores, probabilities):
    n = len(scores)
    return pl.DataFrame(
        {
            "scores": pl.Series(scores, dtype=pl.List(pl.Float64)), "probabilities": [probabilities] * n,
            "extracted": [["a", "b"]] * n, "cluster": [str(i) for i in range(n)],
            "chosen_sample": pl.Series([0 if each[0] >= each[1] else 1 for each in scores], dtype=pl.Int32),
        }
    )  # fmt: skip


def test_columns_of_a_cell():
    f = np.array([[1.0, 0.0]] * 3 + [[0.0, 0.0]])
    made = cell([[0.8, 0.2], [0.6, 0.4], [0.3, 0.5], [0.2, 0.1]], True)
    c = np.array([1.0, 1.0, 0.0, 0.0])
    row = confidence(made, f, c, 7, False)
    assert row["p_comp"] == pytest.approx(2 / 3)
    assert row["brier"] == pytest.approx(np.mean([0.2**2, 0.4**2, 0.5**2, 0.2**2]))
    # Margins .6, .2, .2, .1: accuracy 1, .75, 2/3, .5.
    assert row["aurc"] == pytest.approx(1 - np.mean([1, 0.75, 2 / 3, 0.5]))
    ratings = confidence(cell([[8, 2], [6, 4], [3, 5], [2, 1]], False), f, c, 7, False)
    assert (ratings["p_comp"], ratings["brier"], ratings["ece"]) == (row["p_comp"], None, None)
    assert ratings["aurc"] is not None


def test_a_choice_alone_has_no_confidence():
    f = np.array([[1.0, 0.0]] * 3)
    row = confidence(cell([[1, 0], [0, 1], [1, 0]], False), f, np.array([1.0, 0, 1]), 7, False)
    assert set(row.values()) == {None}
    assert confidence(pl.DataFrame({"a": [1] * 3}), f, f[:, 0], 7, False) == row
