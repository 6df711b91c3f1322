"""Skill by difficulty: by hand, and independent of the candidates that are shown."""

import json

import numpy as np
import polars as pl
import pytest

from selfincorrect.report import difficulty
from selfincorrect.report.figures import difficulty as figure


def items(rows, unit="percent", variant="full"):
    """Rows of per_question: (question, grades, chosen grade)."""
    return pl.DataFrame(
        {
            "model": "m", "task": "t", "k": 2, "variant": variant, "discriminator": None,
            "selector": "choose", "unit": unit,
            "question_id": [q for q, *_ in rows], "cluster": [q for q, *_ in rows],
            "grades": [list(f) for _, f, _ in rows], "shared": [None] * len(rows),
            "chosen_grade": [c for *_, c in rows],
        },
        schema_overrides={"discriminator": pl.String, "shared": pl.List(pl.Int32), "k": pl.Int64},
    )  # fmt: skip


def dataset(levels):
    details = [json.dumps({"level": level} if level else {}) for level in levels.values()]
    return pl.DataFrame({"question_id": list(levels), "details": details})


def grades(rows):
    """(question, sample, grade)"""
    return pl.DataFrame(rows, schema=["question_id", "sample", "grade"], orient="row")


ROWS = [
    ("a", (1.0, 0.0), 1.0),
    ("b", (0.0, 1.0), 1.0),
    ("c", (1.0, 1.0), 1.0),
    ("d", (1.0, 0.0), 0.0),
    ("e", (0.0, 0.0), None),
]


def test_groups_by_hand():
    found = difficulty.difficulty_table(
        items(ROWS),
        {"t": dataset({"a": "1", "b": "1", "c": "1", "d": "2", "e": "2"})},
        {
            ("m", "t"): grades(
                [("a", 2, 1.0), ("a", 3, 1.0), ("b", 2, 0.0), ("c", 2, 1.0), ("d", 2, 0.5), ("a", 0, 0.0)]
            )
        },
        [],
    )
    by = {(row["by"], row["group"]): row for row in found.to_dicts()}
    assert set(by) == {
        ("level", "1"),
        ("level", "2"),
        ("solved", "0.0–0.2"),
        ("solved", "0.4–0.6"),
        ("solved", "0.8–1.0"),
    }
    one = by["level", "1"]
    assert (one["questions"], one["mixed"], one["s_gen"], one["s_disc"]) == (3, 2, pytest.approx(2 / 3), 1.0)
    assert one["dg_diff"] == pytest.approx(1 / 3)
    assert one["skill"] == 1.0
    two = by["level", "2"]
    assert (two["questions"], two["mixed"], two["dg_diff"], two["skill"]) == (1, 1, -0.5, -1.0)
    assert (two["ci_low"], two["ci_high"]) == (None, None)
    easy = by["solved", "0.8–1.0"]
    assert easy["questions"] == 2, "a by its further samples, whatever sample 0 is"


def test_what_has_no_levels_or_as_many_as_questions_has_none():
    assert difficulty.levels_of(dataset({"a": "1", "b": "", "c": "2"})) == {"a": "1", "c": "2"}
    assert difficulty.levels_of(dataset({"a": "1", "b": "1"})) == {}
    assert difficulty.levels_of(dataset({str(place): str(place) for place in range(200)})) == {}
    found = difficulty.difficulty_table(items(ROWS, unit="grade"), {"t": dataset({"a": ""})}, {}, [])
    assert found.height == 0


def test_groups_are_in_the_order_of_their_numbers():
    names = ["Level 10", "Level 2", "hard", "9", "0.2–0.4", "0.0–0.2"]
    assert sorted(names, key=difficulty.in_order) == [
        "0.0–0.2",
        "hard",
        "0.2–0.4",
        "Level 2",
        "9",
        "Level 10",
    ]


def test_selectors_that_know_the_grades_are_left_out():
    found = difficulty.difficulty_table(
        items(ROWS), {"t": dataset({"a": "1"})}, {("m", "t"): grades([("a", 0, 1.0)])}, ["choose"]
    )
    assert found.height == 0


def test_luck_is_no_skill_at_any_difficulty():
    """Of uniform choices no group of questions is off by more than chance, hard ones or easy ones."""
    draw = np.random.default_rng(5)
    rate = draw.uniform(size=4000)
    pool = (draw.uniform(size=(4000, 6)) < rate[:, None]).astype(float)
    rows = [(str(q), tuple(f[:2]), float(f[draw.integers(2)])) for q, f in enumerate(pool)]
    further = [(str(q), sample, float(f[sample])) for q, f in enumerate(pool) for sample in range(2, 6)]
    found = difficulty.difficulty_table(
        items(rows), {"t": dataset({"0": ""})}, {("m", "t"): grades(further)}, []
    )
    assert found.height == 5
    assert ((found["skill_low"] < 0) & (found["skill_high"] > 0)).sum() >= 4
    assert (
        figure.draw({"difficulty": found}).axes[0].get_xlabel() == "share of further answers that are right"
    )


def test_the_figure_has_levels_where_there_are_some():
    rows = [(f"{place}", (1.0, 0.0), float(place % 2)) for place in range(40)]
    levels = {f"{place}": str(place % 2 + 1) for place in range(40)}
    table = difficulty.difficulty_table(
        items(rows), {"t": dataset(levels)}, {("m", "t"): grades([("0", 2, 1.0)])}, []
    )
    drawn = figure.draw({"difficulty": table})
    assert [label.get_text() for label in drawn.axes[0].get_xticklabels()] == ["1", "2"]
    empty = figure.draw({"difficulty": table.filter(pl.lit(False))})
    assert "No group" in empty.axes[0].texts[0].get_text()
