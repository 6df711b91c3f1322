"""Estimators against hand-computed values, brute force and the identities that must hold on any data."""

import itertools
from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from selfincorrect import hypothesis as tests
from selfincorrect import measure as m


def cell_table(grades, chosen, order=None, extracted=None, cluster=None):
    """A table as `measure.cell` takes it."""
    count, k = len(grades), len(grades[0])
    return pl.DataFrame(
        {
            "question_id": [f"q{i}" for i in range(count)],
            "cluster": cluster or [f"q{i}" for i in range(count)],
            "grade": [list(map(float, g)) for g in grades],
            "extracted": extracted or [[f"{i}-{g}" for g in row] for i, row in enumerate(grades)],
            "order": order or [list(range(k))] * count,
            "chosen_sample": pl.Series(chosen, dtype=pl.Int32),
            "pool": [list(map(float, g)) for g in grades],
            "how": ["none" if c is None else "strict" for c in chosen],
        },
        schema_overrides={"extracted": pl.List(pl.String)},
    )


# Three questions, k = 2: right and wrong, both right, wrong and right.
HAND = cell_table([[1, 0], [1, 1], [0, 1]], [0, 1, 0])


def test_hand_computed_cell():
    row = m.cell(HAND, 2, 7)
    assert row["n"] == 3
    assert row["s_gen"] == pytest.approx(2 / 3)  # (1/2 + 1 + 1/2) / 3
    assert row["s_disc"] == pytest.approx(2 / 3)  # 1, 1, 0
    assert row["dg_diff"] == pytest.approx(0)
    # d = (+1/2, 0, -1/2): SE² = (1/9)(1/4 + 1/4)
    assert row["se"] == pytest.approx(np.sqrt(0.5) / 3)
    assert row["ci_high"] == pytest.approx(stats.t.ppf(0.975, 2) * np.sqrt(0.5) / 3)
    assert row["mixed"] == pytest.approx(2 / 3)
    assert row["oracle"] == 1
    assert row["headroom"] == pytest.approx(1 / 3)
    assert row["invalid"] == 0
    # Uniform choice on the two mixed questions: at least one right of two fair coins.
    assert row["p_randomisation"] == pytest.approx(0.75)


def test_invalid_output_scores_the_lowest_grade():
    row = m.cell(cell_table([[1, 0], [1, 1]], [None, None]), 2, 7)
    assert row["s_disc"] == 0.5  # 0 for the mixed question, 1 where all are right
    assert row["invalid"] == 1
    assert row["top_slot"] is None
    assert "name no usable label" in row["note"]
    assert "With 0 valid outputs" in row["note"]
    assert not row["informative"]


def test_constant_picks_are_said_in_words():
    row = m.cell(cell_table([[1, 0]] * 20, [0] * 20), 2, 7)
    assert row["nearly_constant"]
    assert "position 1 in 100% of 20 valid answers" in row["note"]
    assert row["dg_diff"] == 0.5
    varied = m.cell(cell_table([[1, 0]] * 20, [0, 1] * 10), 2, 7)
    assert not varied["nearly_constant"]
    assert (row["informative"], varied["informative"]) == (False, True)
    assert varied["note"] == ""


def test_slots_are_positions_not_samples():
    table = cell_table([[1, 0]] * 4, [0, 0, 1, None], order=[[1, 0], [0, 1], [0, 1], [0, 1]])
    assert m.slot_counts(table, 2).tolist() == [1, 2]


def test_no_mixed_question_is_said():
    row = m.cell(cell_table([[1, 1], [0, 0]], [0, 1]), 2, 7)
    assert (row["dg_diff"], row["dg_diff_mixed"], row["headroom_share"]) == (0, None, None)
    assert row["p_randomisation"] == 1
    assert "No question is mixed" in row["note"]


@pytest.mark.parametrize(
    ("extracted", "grades", "expected"),
    [
        (["4", "4", "5"], [1, 1, 0], 1.0),
        (["4", "5", "5"], [1, 0, 0], 0.0),
        (["4", "5"], [1, 0], 0.5),  # a tie is shared
        (["4", "4", "5", "5"], [1, 1, 0, 0], 0.5),
        ([None, None, "5"], [0, 0, 1], 1 / 3),  # answers without a normal form agree with none
    ],
)
def test_majority(extracted, grades, expected):
    assert m.majority_grade(extracted, grades) == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_pass_at_by_enumeration(n):
    for right in range(n + 1):
        for j in range(1, n + 1):
            draws = list(itertools.combinations([1] * right + [0] * (n - right), j))
            assert m.pass_at(right, n, j) == pytest.approx(sum(map(max, draws)) / comb(n, j))


@pytest.mark.parametrize(
    ("n01", "n10", "exact", "midp"),
    [
        (0, 0, 1.0, 0.5),
        (1, 0, 0.5, 0.25),
        (3, 1, 5 / 16, 5 / 16 - 4 / 32),
        (8, 2, 56 / 1024, 56 / 1024 - 45 / 2048),
    ],
)
def test_mcnemar(n01, n10, exact, midp):
    found = tests.mcnemar(n01, n10)
    assert found["exact"] == pytest.approx(exact)
    assert found["midp"] == pytest.approx(midp)
    z = (n01 - n10) / np.sqrt(n01 + n10) if n01 + n10 else 0
    assert found["asymptotic"] == pytest.approx(1 - stats.norm.cdf(z))
    assert found["as_printed"] == pytest.approx(0.5 * (1 - stats.norm.cdf(abs(z))))
    assert found["as_printed"] <= 0.25


def test_randomisation_by_enumeration():
    grades = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1.0]])
    chosen = np.array([1, 1, 0, 0.0])
    totals = [sum(each) for each in itertools.product(*grades)]
    expected = np.mean([total >= chosen.sum() for total in totals])
    assert tests.randomisation(grades, chosen) == pytest.approx(expected)


def test_randomisation_of_scores_is_the_normal_tail():
    grades = np.array([[1, 5, 9, 9], [2, 2, 8, 4], [7, 7, 7, 7.0]])
    chosen = np.array([9, 8, 7.0])
    z = (9 - 6 + 8 - 4) / np.sqrt(grades[0].var() + grades[1].var())
    assert tests.randomisation(grades, chosen) == pytest.approx(stats.norm.sf(z))


def test_wilcoxon_against_the_definition():
    differences = np.array([3, -1, 2, 0, 4, 5, -2, 6.0])
    ranks = stats.rankdata(np.abs(differences))  # Pratt: zeros are ranked, then left out
    signed = (ranks * (differences > 0)).sum()
    kept = ranks[differences != 0]
    z = (signed - kept.sum() / 2) / np.sqrt((kept**2).sum() / 4)
    assert tests.wilcoxon(differences) == pytest.approx(stats.norm.sf(z))


def test_clustered_standard_error():
    values, clusters = np.array([1, 0, 1, 1.0]), np.array(["a", "a", "b", "b"])
    # mean 3/4; sums of deviations 1/4 - 3/4 = -1/2 and +1/2
    assert m.clustered_se(values, clusters) == pytest.approx(np.sqrt(0.5) / 4)
    single = np.array(list("abcd"))
    assert m.clustered_se(values, single) == pytest.approx(values.std() / 2)


def test_scores_without_spread_get_wilsons_interval():
    clusters = np.arange(12)
    low, high = m.score_interval(np.zeros(12), clusters)
    assert low == 0
    assert high == pytest.approx(1.959964**2 / (12 + 1.959964**2), rel=1e-4)


def test_ratio_interval_is_seeded_and_covers_the_ratio():
    rng = np.random.default_rng(1)
    bottom = rng.random(200)
    top = 0.3 * bottom + rng.normal(0, 0.05, 200)
    low, high = m.ratio_interval(top, bottom, np.arange(200), 5)
    assert low < top.sum() / bottom.sum() < high
    assert (low, high) == m.ratio_interval(top, bottom, np.arange(200), 5)


@st.composite
def cells(draw):
    k = draw(st.integers(2, 5))
    count = draw(st.integers(2, 25))
    grades = draw(st.lists(st.lists(st.integers(0, 1), min_size=k, max_size=k), min_size=count, max_size=count))
    chosen = draw(st.lists(st.one_of(st.none(), st.integers(0, k - 1)), min_size=count, max_size=count))
    return k, grades, chosen


@settings(max_examples=60, deadline=None)
@given(cells())
def test_identities(case):
    k, grades, chosen = case
    row = m.cell(cell_table(grades, chosen), k, 7)
    assert row["dg_diff"] == pytest.approx(row["s_disc"] - row["s_gen"])
    assert row["dg_diff"] == pytest.approx(row["mixed"] * (row["dg_diff_mixed"] or 0))
    assert row["s_disc"] <= row["oracle"] + 1e-12
    assert row["headroom"] == pytest.approx(row["oracle"] - row["s_gen"])
    assert row["s_gen_low"] <= row["s_gen"] <= row["s_gen_high"]
    assert 0 <= row["p_randomisation"] <= 1
    if row["mixed_questions"]:
        assert row["ci_low"] <= row["dg_diff"] <= row["ci_high"]
    else:
        assert row["ci_low"] is None
    assert row["pass_at_k"] == pytest.approx(row["oracle"])
    assert row["n01"] + row["n10"] <= row["mixed_questions"]
    # Questions that are not mixed change n, never the sum of differences.
    more = m.cell(cell_table([*grades, [1] * k], [*chosen, None]), k, 7)
    assert more["dg_diff"] * more["n"] == pytest.approx(row["dg_diff"] * row["n"])


@settings(max_examples=40, deadline=None)
@given(cells())
def test_order_of_questions_does_not_matter(case):
    k, grades, chosen = case
    table = cell_table(grades, chosen)
    assert m.cell(table, k, 7) == pytest.approx(m.cell(table.reverse().sort("question_id"), k, 7), nan_ok=True)
