"""Contrasts of two cells: by hand, against enumeration of all signs, and what they say."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from selfincorrect.measure.contrasts import contrast, said, sign_flip, two_sided_mcnemar


def items(chosen, grades, clusters=None, asked=None, shared=None):
    names = [f"q{i}" for i in range(len(chosen))]
    return pl.DataFrame(
        {
            "question_id": names, "cluster": clusters or names, "asked": asked or names,
            "grades": [list(map(float, each)) for each in grades],
            "shared": pl.Series(shared or [None] * len(names), dtype=pl.List(pl.Int32)),
            "mean_grade": [float(np.mean(each)) for each in grades],
            "chosen_grade": pl.Series(chosen, dtype=pl.Float64),
        }
    )  # fmt: skip


POOL = [(1, 0), (1, 0), (0, 1), (1, 0), (1, 1), (0, 0)]


def test_one_pool_by_hand():
    row = contrast(items([1, 1, 1, 0, 1, 0], POOL), items([0, 0, 1, 1, 1, 0], POOL))
    assert (row["n"], row["same_pool"], row["test"]) == (6, True, "mcnemar")
    assert (row["gained"], row["lost"]) == (2, 1)
    assert row["difference"] == pytest.approx(1 / 6) == row["s_disc"] - row["other_s_disc"]
    assert row["dg_diff"] - row["other_dg_diff"] == pytest.approx(row["difference"])
    assert row["p"] == pytest.approx(2 * (1 / 8 + 0.5 * 3 / 8))
    d = np.array([1, 1, 0, -1, 0, 0])
    half = stats.t.ppf(0.975, 5) * np.sqrt(((d - d.mean()) ** 2).sum()) / 6
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((1 / 6 - half, 1 / 6 + half))


def test_other_pools_compare_what_choosing_gains():
    other = [(1, 1), (1, 0), (0, 1), (0, 0), (1, 1), (0, 0)]
    row = contrast(items([1, 1, 1, 0, 1, 0], POOL), items([1, 0, 1, 0, 1, 0], other))
    assert (row["same_pool"], row["test"]) == (False, "sign-flip")
    assert row["difference"] == pytest.approx(np.mean([0.5, 1, 0, -0.5, 0, 0]))


@pytest.mark.parametrize(
    "changed", [{"shared": [[0, 1], None, None, None, None, None]}, {"asked": ["a", "a", "b", "c", "d", "e"]}]
)
def test_shared_choices_are_not_mcnemars(changed):
    row = contrast(items([1, 1, 1, 0, 1, 0], POOL, **changed), items([0, 0, 1, 1, 1, 0], POOL, **changed))
    assert row["test"] == "sign-flip"


def test_only_questions_that_both_have_count():
    one, other = items([1, None, 1, 0], POOL[:4]), items([0, 0, 1, None], POOL[:4])[[0, 1, 3]]
    assert contrast(one, other)["n"] == 1
    assert contrast(one[:1], other[1:]) == {"n": 0, "clusters": 0}


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 2 / 64), (0, 5, 2 / 64)])
def test_mcnemar_on_both_sides(gained, lost, p):
    assert two_sided_mcnemar(gained, lost) == pytest.approx(p)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 3)), min_size=2, max_size=9))
def test_sign_flip_against_all_signs(drawn):
    values = np.array([value / 4 for value, _ in drawn])
    clusters = np.array([cluster for _, cluster in drawn])
    sums = np.array([values[clusters == each].sum() for each in np.unique(clusters)])
    totals = [np.dot(signs, sums) for signs in itertools.product([-1, 1], repeat=len(sums))]
    expected = np.mean([abs(total) >= abs(sums.sum()) - 1e-9 for total in totals])
    assert sign_flip(values, clusters) == pytest.approx(expected)


def test_sign_flip_of_values_on_no_grid_is_near_the_normal_one():
    values = np.random.default_rng(0).normal(0.15, 1, 300)
    p = sign_flip(values, np.arange(300))
    assert p == pytest.approx(2 * stats.norm.sf(abs(values.sum()) / np.sqrt((values**2).sum())), abs=0.02)


def test_holm_is_over_what_was_asked_for():
    rows = [{"n": 5, "p": p, "difference": d} for p, d in ((0.01, 1.0), (0.02, -1.0), (0.04, 1.0))]
    judged = said([*rows, {"n": 0}])
    assert [row["p_holm"] for row in judged] == pytest.approx([0.03, 0.04, 0.04, None])
    assert [row["verdict"] for row in judged] == ["better", "worse", "better", "undecided"]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_turned_round_only_signs_change(data):
    n = data.draw(st.integers(2, 12))
    pool = data.draw(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=n, max_size=n))
    first, second = (items([row[data.draw(st.integers(0, 2))] for row in pool], pool) for _ in range(2))
    one, other = contrast(first, second), contrast(second, first)
    assert one["difference"] == pytest.approx(-other["difference"])
    assert one["p"] == pytest.approx(other["p"])
    assert (one["gained"], one["lost"]) == (other["lost"], other["gained"])
