"""Estimators against hand-computed values, brute force and the identities that must hold on any data."""

import itertools
from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.measure import cell as c
from selfincorrect.measure.positions import slot_counts
from selfincorrect.measure.scores import majority_grade, pass_at


def cell_table(
    grades, chosen, order=None, extracted=None, cluster=None, shared=None, selector="choose", asked=None
):
    """A table as `cell.cell` takes it."""
    count, k = len(grades), len(grades[0])
    return pl.DataFrame(
        {
            "question_id": [f"q{i}" for i in range(count)],
            "asked": asked or [f"q{i}" for i in range(count)],
            "cluster": cluster or [f"q{i}" for i in range(count)],
            "grade": [list(map(float, g)) for g in grades],
            "extracted": extracted or [[f"{i}-{g}" for g in row] for i, row in enumerate(grades)],
            "order": order or [list(range(k))] * count,
            "chosen_sample": pl.Series(chosen, dtype=pl.Int32),
            "pool": [list(map(float, g)) for g in grades],
            "shared": pl.Series(shared or [None] * count, dtype=pl.List(pl.Int32)),
            "selector": [selector] * count,
            "how": ["none" if c is None else "strict" for c in chosen],
        },
        schema_overrides={"extracted": pl.List(pl.String)},
    )


# Three questions, k = 2: right and wrong, both right, wrong and right.
HAND = cell_table([[1, 0], [1, 1], [0, 1]], [0, 1, 0])


def test_hand_computed_cell():
    row = c.cell(HAND, 2, 7)
    assert row["n"] == 3
    assert row["s_gen"] == pytest.approx(2 / 3)  # (1/2 + 1 + 1/2) / 3
    assert row["s_disc"] == pytest.approx(2 / 3)  # 1, 1, 0
    assert row["dg_diff"] == pytest.approx(0)
    # d = (+1/2, 0, -1/2): SE² = (1/9)(1/4 + 1/4)
    assert row["se"] == pytest.approx(np.sqrt(0.5) / 3)
    assert row["ci_high"] is None, "of two mixed questions a t interval covers too little"
    assert row["mixed"] == pytest.approx(2 / 3)
    assert row["oracle"] == 1
    assert row["headroom"] == pytest.approx(1 / 3)
    assert row["invalid"] == 0
    # Uniform choice on the two mixed questions: at least one right of two fair coins.
    assert row["p_randomisation"] == pytest.approx(0.75)


def test_invalid_output_scores_the_lowest_grade():
    row = c.cell(cell_table([[1, 0], [1, 1]], [None, None]), 2, 7)
    assert row["s_disc"] == 0.5  # 0 for the mixed question, 1 where all are right
    assert row["invalid"] == 1
    assert row["top_slot"] is None
    assert "name no usable label" in row["note"]
    assert "With 0 valid outputs of 2" in row["note"]
    assert not row["informative"]


def test_constant_picks_are_said_in_words():
    row = c.cell(cell_table([[1, 0]] * 20, [0] * 20), 2, 7)
    assert row["nearly_constant"]
    assert "position 1 in 100% of 20 valid answers" in row["note"]
    assert row["dg_diff"] == 0.5
    varied = c.cell(cell_table([[1, 0]] * 20, [0, 1] * 10), 2, 7)
    assert not varied["nearly_constant"]
    assert (row["informative"], varied["informative"]) == (False, True)
    assert varied["note"] == "Grades depend on the sample's index: show the candidates in permuted orders."


def test_slots_are_positions_not_samples():
    table = cell_table([[1, 0]] * 4, [0, 0, 1, None], order=[[1, 0], [0, 1], [0, 1], [0, 1]])
    assert slot_counts(table, 2).tolist() == [1, 2]


def test_no_mixed_question_is_said():
    row = c.cell(cell_table([[1, 1], [0, 0]], [0, 1]), 2, 7)
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
    assert majority_grade(extracted, grades) == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_pass_at_by_enumeration(n):
    for right in range(n + 1):
        for j in range(1, n + 1):
            draws = list(itertools.combinations([1] * right + [0] * (n - right), j))
            assert pass_at(right, n, j) == pytest.approx(sum(map(max, draws)) / comb(n, j))


@st.composite
def cells(draw):
    k = draw(st.integers(2, 5))
    count = draw(st.integers(2, 25))
    grades = draw(
        st.lists(st.lists(st.integers(0, 1), min_size=k, max_size=k), min_size=count, max_size=count)
    )
    chosen = draw(st.lists(st.one_of(st.none(), st.integers(0, k - 1)), min_size=count, max_size=count))
    return k, grades, chosen


@settings(max_examples=60, deadline=None)
@given(cells())
def test_identities(case):
    k, grades, chosen = case
    row = c.cell(cell_table(grades, chosen), k, 7)
    assert row["dg_diff"] == pytest.approx(row["s_disc"] - row["s_gen"])
    assert row["dg_diff"] == pytest.approx(row["mixed"] * (row["dg_diff_mixed"] or 0))
    assert row["s_disc"] <= row["oracle"] + 1e-12
    assert row["headroom"] == pytest.approx(row["oracle"] - row["s_gen"])
    assert row["s_gen_low"] <= row["s_gen"] <= row["s_gen_high"]
    assert 0 <= row["p_randomisation"] <= 1
    if row["dg_diff_valid"] is not None and row["net"] is not None:
        assert row["dg_diff_valid"] == pytest.approx(row["net"] + row["luck"])
    if row["se"] and row["mixed_questions"] >= 5:
        assert row["ci_low"] <= row["dg_diff"] <= row["ci_high"]
    else:
        assert row["ci_low"] is None
    assert row["pass_at_k"] == pytest.approx(row["oracle"])
    assert row["n01"] + row["n10"] <= row["mixed_questions"]
    # Questions that are not mixed change n, never the sum of differences.
    more = c.cell(cell_table([*grades, [1] * k], [*chosen, None]), k, 7)
    assert more["dg_diff"] * more["n"] == pytest.approx(row["dg_diff"] * row["n"])


@settings(max_examples=40, deadline=None)
@given(cells())
def test_order_of_questions_does_not_matter(case):
    k, grades, chosen = case
    table = cell_table(grades, chosen)
    assert c.cell(table, k, 7) == pytest.approx(
        c.cell(table.reverse().sort("question_id"), k, 7), nan_ok=True
    )


def test_four_rules_for_invalid_outputs():
    # Valid and right of 2; invalid among [1, 0]; invalid among [1, 1]; valid and wrong.
    row = c.cell(cell_table([[1, 0], [1, 0], [1, 1], [0, 1]], [0, None, None, 0]), 2, 7)
    assert row["s_disc"] == pytest.approx((1 + 0 + 1 + 0) / 4)  # the lowest grade
    assert row["s_disc_zero"] == pytest.approx((1 + 0 + 0 + 0) / 4)
    assert row["s_disc_expected"] == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert row["s_disc_valid"] == pytest.approx((1 + 0) / 2)
    assert row["s_gen"] == pytest.approx(2.5 / 4)
    assert row["dg_diff_zero"] == pytest.approx(0.25 - 0.625)
    assert row["dg_diff_expected"] == pytest.approx(0)
    assert row["dg_diff_valid"] == pytest.approx(0)  # +1/2 and −1/2 on the valid two


def test_rules_agree_where_all_outputs_are_valid():
    row = c.cell(cell_table([[1, 0], [0, 1], [1, 1]], [0, 0, 1]), 2, 7)
    assert row["s_disc"] == row["s_disc_zero"] == row["s_disc_expected"] == row["s_disc_valid"]


def test_ties_are_shared_in_scores_and_drawn_in_counts():
    grades, shared = [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], [[0, 1]] * 4 + [None]
    row = c.cell(cell_table(grades, [0, 0, 0, 0, 0], shared=shared, selector="majority"), 2, 7)
    assert row["s_disc"] == pytest.approx((4 * 0.5 + 1) / 5)
    assert row["n01"] + row["n10"] <= 5
    assert row["top_slot"] is None
    assert row["p_slots"] is None
    assert row["selector"] == "majority"


def test_scored_grades_use_their_own_tests_and_margin():
    rng = np.random.default_rng(2)
    grades = rng.integers(1, 11, (60, 4)).tolist()
    clusters = [f"q{i // 2}" for i in range(60)]
    row = c.cell(cell_table(grades, rng.integers(0, 4, 60).tolist(), cluster=clusters), 4, 7)
    assert row["clusters"] == 30
    assert row["p_mcnemar"] is row["p_mcnemar_midp"] is row["p_mcnemar_exact"] is row["p_as_printed"] is None
    assert 0 < row["p_wilcoxon"] < 1
    assert 0 < row["p_wilcoxon_drop"] < 1
    assert row["pass_at_k"] is None
    assert row["s_gen_high"] > 1


def test_verdicts():
    right = cell_table([[1, 0], [0, 1]] * 20, [0, 1] * 20)
    wrong = cell_table([[1, 0], [0, 1]] * 20, [1, 0] * 20)
    even = cell_table([[1, 0], [0, 1]] * 20, [0, 0, 1, 1] * 10)
    assert [c.cell(table, 2, 7)["verdict"] for table in (right, wrong, even)] == [
        "better",
        "worse",
        "undecided",
    ]
    # 40 mixed questions among many: half right, half wrong, so DG-Diff is 0 and its interval within a point.
    many = cell_table([[1, 0], [0, 1]] * 20 + [[1, 1]] * 3960, [0, 0, 1, 1] * 10 + [0, 1] * 1980)
    assert c.cell(many, 2, 7)["verdict"] == "equivalent"
    few = cell_table([[1, 0], [0, 1]] * 10 + [[1, 1]] * 3980, [0, 0, 1, 1] * 5 + [0, 1] * 1990)
    assert (c.cell(few, 2, 7)["p_tost"], c.cell(few, 2, 7)["verdict"]) == (None, "undecided"), (
        "20 are too few to show it"
    )
    constant = cell_table([[1, 0]] * 40, [0] * 40)
    row = c.cell(constant, 2, 7)
    assert (row["p_randomisation"] < 0.001, row["verdict"]) == (True, "undecided"), (
        "a constant pick shows nothing"
    )


def test_a_bad_format_is_not_bad_judgement():
    # 400 mixed questions: half of the valid choices right, a tenth of the outputs invalid.
    chosen = ([0, 0, 1, 1] * 9 + [None] * 4) * 10
    row = c.cell(cell_table([[1, 0], [0, 1]] * 200, chosen), 2, 7)
    assert (row["invalid"], row["valid"]) == (pytest.approx(0.1), 360)
    assert row["dg_diff"] == pytest.approx(-0.05)
    assert row["p_worse"] > 0.4
    assert row["verdict"] != "worse"
    mostly = c.cell(cell_table([[1, 0], [0, 1]] * 20, [1, 0] * 9 + [None] * 22), 2, 7)
    assert (mostly["informative"], mostly["verdict"]) == (False, "undecided")
    assert "With 18 valid outputs of 40" in mostly["note"]


def test_check_numbers_of_a_real_pool():
    """LLaMA-2 7B on GSM8K, four answers each: how many of the 1,319 questions have 0 to 4 right ones."""
    counts = {0: 986, 1: 230, 2: 66, 3: 25, 4: 12}
    grades = [[1] * right + [0] * (4 - right) for right, count in counts.items() for _ in range(count)]
    row = c.cell(cell_table(grades, [0] * 1319), 4, 7)
    assert row["s_gen"] == pytest.approx(0.09193, abs=5e-6)
    assert row["oracle"] == pytest.approx(0.25246, abs=5e-6)
    assert row["mixed_questions"] == 321
    found = [np.mean([pass_at(sum(each), 4, j) for each in grades]) for j in (2, 3)]
    assert found == pytest.approx([0.15694, 0.20887], abs=5e-6)


def test_turns_of_one_conversation_are_one_choice():
    """Two conversations of two turns, k = 2; sample 1 is better in every turn. H0 has four equally likely
    totals.
    """
    grades = [[3, 5], [2, 4], [6, 7], [5, 9]]
    named = ["a", "a", "b", "b"]
    table = cell_table(grades, [1, 1, 1, 1], cluster=named, asked=named)
    row = c.cell(table, 2, 7)
    assert row["p_randomisation"] == pytest.approx(1 / 4), "both conversations at their best: one of four"
    assert row["dg_diff"] == pytest.approx((1 + 1 + 0.5 + 2) / 4)
    assert row["clusters"] == 2
    assert slot_counts(table, 2).tolist() == [0, 2], "a conversation is picked once"
    apart = c.cell(cell_table(grades, [1, 1, 1, 1], cluster=named), 2, 7)
    assert apart["p_randomisation"] == pytest.approx(1 / 16), "four choices made apart"


def test_a_perfect_choice_takes_whole_conversations():
    """Turn 1 is best in one sample and turn 2 in the other: whatever is chosen scores 5."""
    grades, named = [[9, 1], [1, 9]] * 3, [name for name in "abc" for _ in range(2)]
    row = c.cell(cell_table(grades, [0] * 6, cluster=named, asked=named), 2, 7, "grade")
    assert (row["oracle"], row["headroom"], row["mixed_questions"]) == (5, 0, 0)
    assert (row["n"], row["choices"], row["valid"]) == (6, 3, 3)
    apart = c.cell(cell_table(grades, [0] * 6, cluster=named), 2, 7, "grade")
    assert (apart["oracle"], apart["mixed_questions"]) == (9, 6)


def test_the_best_choice_is_counted_among_mixed_questions():
    row = c.cell(
        cell_table([[1, 0], [0, 1], [1, 1], [0, 1]], [0, 0, 0, None], shared=[None, [0, 1], None, None]), 2, 7
    )
    assert row["best_mixed"] == pytest.approx((1 + 0.5 + 0) / 3), (
        "a tie is half a hit, an invalid output none"
    )


def test_grades_on_a_scale_are_scores_whatever_values_occur():
    row = c.cell(cell_table([[1, 1], [1, 1]], [0, 1]), 2, 7, "grade")
    assert (row["p_mcnemar"], row["pass_at_k"], row["s_gen_low"]) == (None, None, None)
    assert row["p_wilcoxon"] is not None
