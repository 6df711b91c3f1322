"""Tables over all cells: the family of tests, picked positions, flips, pass@j and gradings that differ."""

import numpy as np
import polars as pl
import pytest

from selfincorrect.report import TABLES, shown, tables
from selfincorrect.report.stage import COLUMNS

CELL = ("m", "gsm8k")


def test_the_workflow_knows_all_tables():
    assert sorted(TABLES) == sorted(COLUMNS)


def choices(variant, order, chosen, selector="choose", k=2):
    return pl.DataFrame(
        {
            "question_id": [f"q{i}" for i in range(len(chosen))], "asked": pl.Series([None] * len(chosen),
            dtype=pl.String), "k": k, "variant": variant,
            "discriminator": pl.Series([None] * len(chosen), dtype=pl.String), "selector": selector,
            "order": order, "chosen_sample": pl.Series(chosen, dtype=pl.Int32),
            "valid": [c is not None for c in chosen],
        }
    )  # fmt: skip


def test_the_family_is_every_choice_of_a_model():
    metrics = pl.DataFrame(
        {
            "selector": ["choose", "oracle", "choose", "likelihood"], "n": 9,
            "p_better": [0.01, 0.0, 0.04, 1.0], "p_less": [1.0, 1.0, 0.9, 0.001],
            "discriminator": ["m", None, "m", "other"],
        }
    )  # fmt: skip
    table = tables.with_adjusted(metrics)
    assert table["p_holm"].to_list() == pytest.approx([0.03, None, 0.08, 1.0])
    assert table["p_worse_holm"].to_list() == pytest.approx([1.0, None, 1.0, 0.003])
    assert table["q_bh"].to_list() == pytest.approx([0.03, None, 0.06, 1.0])


def test_rows_follow_the_configuration():
    table = pl.DataFrame(
        {"model": ["b", "a", "a"], "task": "t", "k": [2, 4, 2], "variant": ["full", "majority", "full"]}
    )
    cells = {"models": ["a", "b"], "tasks": ["t"], "k": [4, 2], "variants": ["full", "majority"]}
    assert tables.in_order(table, cells).rows() == [
        ("a", "t", 4, "majority"), ("a", "t", 2, "full"), ("b", "t", 2, "full"),
    ]  # fmt: skip


def test_slots_count_a_models_picks_alone():
    made = pl.concat(
        [
            choices("full", [[1, 0], [0, 1], [0, 1]], [0, 0, None]),
            choices("majority", [[0, 1]] * 3, [0, 0, 0], selector="majority"),
        ]
    )
    table = tables.slots_table({CELL: made})
    assert table.select("variant", "position", "picked", "valid").rows() == [
        ("full", 1, 1, 2),
        ("full", 2, 1, 2),
    ]


def test_slots_of_nothing_are_an_empty_table():
    made = choices("majority", [[0, 1]], [0], selector="majority")
    assert tables.slots_table({CELL: made}).height == 0


def graded(forms):
    """Grades of two samples a question, of which each has one of `forms` by normal form."""
    return {
        CELL: pl.DataFrame(
            [(f"q{i}", sample, form) for i, pair in enumerate(forms) for sample, form in enumerate(pair)],
            schema={"question_id": pl.String, "sample": pl.Int32, "extracted": pl.String},
            orient="row",
        )
    }


def test_flips():
    drawn, permuted = [[0, 1]] * 5, [[1, 0]] * 5
    by_content = pl.concat([choices("a", drawn, [0, 1, 0, 1, 0]), choices("b", permuted, [0, 1, 0, 1, None])])
    by_position = pl.concat([choices("a", drawn, [0] * 5), choices("b", permuted, [1] * 5)])
    rows = [
        tables.flips_table({CELL: made}, graded([("1", "2")] * 5), [("a", "b")]).row(0, named=True)
        for made in (by_content, by_position)
    ]
    assert [(row["n"], row["flips"], row["flip_rate"]) for row in rows] == [(4, 0, 0.0), (5, 5, 1.0)]
    assert rows[0]["uniform_rate"] == 0.5
    assert rows[0]["ci_low"] == 0 < rows[0]["ci_high"] < 1
    assert tables.flips_table({CELL: by_content}, graded([("1", "2")] * 5), []).height == 0


@pytest.mark.parametrize(
    ("forms", "flips"),
    [
        ([("4", "4"), ("4", "5"), (None, None), ("sample 0", None)], 3),
        ([("4", "4")] * 4, 0),
        ([(None, None)] * 4, 4),  # answers without a normal form are told apart by their sample
    ],
)
def test_another_sample_with_the_same_answer_is_no_flip(forms, flips):
    made = pl.concat([choices("a", [[0, 1]] * 4, [0] * 4), choices("b", [[1, 0]] * 4, [1] * 4)])
    row = tables.flips_table({CELL: made}, graded(forms), [("a", "b")]).row(0, named=True)
    assert (row["n"], row["flips"]) == (4, flips)


def test_a_conversation_flips_if_one_of_its_answers_does():
    made = pl.concat([choices("a", [[0, 1]] * 4, [0] * 4), choices("b", [[1, 0]] * 4, [1] * 4)])
    made = made.with_columns(asked=pl.Series(["x", "x", "y", "y"] * 2))
    grades = graded([("1", "1"), ("1", "2"), ("3", "3"), ("4", "4")])
    row = tables.flips_table({CELL: made}, grades, [("a", "b")]).row(0, named=True)
    assert (row["n"], row["flips"]) == (2, 1)


def test_pass_at_every_j():
    grades = pl.DataFrame({"question_id": ["a"] * 4 + ["b"] * 4, "grade": [1.0, 0, 0, 0, 0, 0, 0, 0]})
    clusters = {"gsm8k": pl.DataFrame({"question_id": ["a", "b"], "cluster": ["a", "b"]})}
    table = tables.pass_table({CELL: grades}, clusters)
    assert table["pass_at_j"].to_list() == pytest.approx([1 / 8, 2 / 8, 3 / 8, 4 / 8])
    scored = grades.with_columns(grade=pl.lit(7.0))
    assert tables.pass_table({CELL: scored}, clusters).height == 0


def test_differences_between_gradings():
    grades = pl.DataFrame(
        {
            "question_id": ["a", "b"], "sample": pl.Series([0, 0], dtype=pl.Int32), "grading": "flexible",
            "extracted": ["4", "5"], "grade": [1.0, 1.0], "extracted_strict": ["4", None],
            "grade_strict": [1.0, 0.0],
        }
    )  # fmt: skip
    assert tables.differences_table({CELL: grades}).rows() == [
        ("m", "gsm8k", "b", 0, "flexible", "5", 1.0, "strict", None, 0.0)
    ]


def test_intervals_that_do_not_exist_are_empty():
    table = tables.slots_table({CELL: choices("full", [[0, 1]], [None])})
    assert table["ci_low"].to_list() == [None, None]
    assert not np.isnan(table["picked"].to_numpy()).any()


def test_pass_at_of_a_pool_that_a_judge_graded_in_part():
    grades = pl.DataFrame({"question_id": list("aabb"), "grade": [1.0, 0.0, 1.0, None]})
    clusters = {"gsm8k": pl.DataFrame({"question_id": ["a", "b"], "cluster": ["a", "b"]})}
    table = tables.pass_table({CELL: grades}, clusters)
    assert table.select("j", "n", "questions", "pass_at_j").rows() == [(1, 2, 2, 0.75), (2, 2, 1, 1.0)]
    assert tables.pass_table({CELL: grades}, clusters, scored={"gsm8k"}).height == 0


def test_figures_of_cells_without_a_rating_say_so():
    from selfincorrect.report.figures import dg_diff, figure9, scores, selectors, style

    style.apply({"dpi": 50, "font_size": 9})
    metrics = pl.DataFrame(
        {"model": "m", "task": "mt_bench", "k": 4, "variant": "full", "selector": "choose", "n": [0],
         "discriminator": "m"}
    )  # fmt: skip
    tables = {"metrics": metrics}
    for figure in (dg_diff.draw(tables), figure9.draw(metrics), scores.draw(tables), selectors.draw(tables)):
        assert figure.axes[0].texts[0].get_text() == style.NO_CELLS


@pytest.mark.parametrize(
    ("mixed", "ci", "exact", "text"),
    [
        (3, (None, None), (-0.1, 0.2), "[-10.0, +20.0]"),
        (12, (-0.05, 0.1), (-0.1, 0.2), "[-5.0, +10.0] exact [-10.0, +20.0]"),
        (12, (-0.05, 0.1), (None, None), "[-5.0, +10.0]"),
        (20, (-0.05, 0.1), (-0.1, 0.2), "[-5.0, +10.0]"),
        (3, (None, None), (None, None), "–"),
    ],
)
def test_the_exact_interval_stands_in_for_the_other_or_beside_it(mixed, ci, exact, text):
    ends = {"ci_low": ci[0], "ci_high": ci[1], "exact_low": exact[0], "exact_high": exact[1]}
    assert shown.interval({"unit": "percent", "mixed_questions": mixed, **ends}) == text
