"""The tables of the measure stage: gradings side by side, items left out, every column in its place, and
the time it takes.
"""

import subprocess
import sys

import polars as pl
import pytest

from selfincorrect.columns import schema_of
from selfincorrect.discriminate.choices import SCHEMA
from selfincorrect.measure.columns import CELL, EMPTY, GRADED, METRICS
from selfincorrect.measure.stage import Settings, rows_of, run


def measured(questions, grades, choices, k, unit="percent"):
    """The tables of the stage, by name."""
    return run(questions, grades, choices, "m", "t", k, Settings(seed=7, unit=unit))


def test_gradings_score_the_same_choices_in_every_way():
    samples = {"question_id": ["a", "a", "b", "b"], "sample": [0, 1, 0, 1]}
    grades = pl.DataFrame(
        samples
        | {
            "extracted": ["1", "2", "3", "4"], "grade": [1.0, 0.0, 0.0, 1.0], "valid": True,
            "grading": "flexible",
            "extracted_strict": ["1", None, None, None], "grade_strict": [1.0, 0.0, 0.0, 0.0],
        }
    )  # fmt: skip
    choices = pl.DataFrame(
        {
            "question_id": ["a", "b"], "asked": pl.Series([None, None], dtype=pl.String), "variant": "full",
            "selector": "choose", "order": [[0, 1]] * 2,
            "chosen_sample": [0, 1], "shared": pl.Series([None, None], dtype=pl.List(pl.Int32)),
            "how": "strict",
        }
    )  # fmt: skip
    questions = pl.DataFrame({"question_id": ["a", "b"], "cluster": ["a", "b"]})
    first, other = measured(questions, grades, choices, 2)["gradings"].to_dicts()
    assert (first["grading"], first["primary"], first["s_gen"], first["s_disc"]) == (
        "flexible",
        True,
        0.5,
        1.0,
    )
    assert (other["grading"], other["primary"], other["s_gen"], other["s_disc"]) == (
        "strict",
        False,
        0.25,
        0.5,
    )
    assert (first["differing"], other["differing"], other["oracle"]) == (0, 1, 0.5)


def test_a_large_measurement_is_quick_and_needs_no_torch():
    """1,319 questions x 4 candidates x 10 variants, graded and measured from tables, in a process of its
    own.
    """
    script = """
import sys, time
import numpy as np, polars as pl
from selfincorrect.grade import grades as grading
from selfincorrect.measure.stage import Settings, run
from selfincorrect.report import tables
from selfincorrect.tasks import gsm8k
from selfincorrect.tasks.base import Question
from selfincorrect.discriminate.choices import SCHEMA
rng = np.random.default_rng(0)
ids = [f"q{i}" for i in range(1319)]
questions = {q: Question(q, q, "?", ("4",)) for q in ids}
from selfincorrect.tasks.questions import question_table
dataset = question_table(list(questions.values()))
texts = ["Two and two is 4.\\n#### 4", "So 18.\\n#### 18", "It is 4", "no idea"]
pool = [(q, s, texts[rng.integers(0, 4)]) for q in ids for s in range(4)]
start = time.perf_counter()
pool = pl.DataFrame(pool, schema=["question_id", "sample", "text"], orient="row")
grades = grading.grade_table(pool, questions, gsm8k)
rows = [
    {"question_id": q, "k": 4, "variant": f"v{v}", "selector": "choose", "order": [0, 1, 2, 3],
     "how": "strict", "chosen_sample": int(rng.integers(0, 4)), "valid": True}
    for v in range(10) for q in ids
]
choices = pl.DataFrame(rows, schema=SCHEMA)
table = run(dataset, grades, choices, "m", "gsm8k", 4, Settings(seed=7, unit="percent"))["metrics"]
tables.with_adjusted(table)
print(time.perf_counter() - start, table.height, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, rows, torch = done.stdout.split()
    assert (int(rows), torch) == (10, "False")
    assert float(seconds) < 30, f"{seconds} s"


def test_items_without_a_rating_are_left_out_and_counted():
    ids = ["a", "b", "c"]
    grades = pl.DataFrame(
        {
            "question_id": [q for q in ids for _ in range(2)], "sample": [0, 1] * 3,
            "extracted": pl.Series([None] * 6, dtype=pl.String),
            "grade": [2.0, 4.0, None, 5.0, 7.0, 7.0], "valid": True, "grading": "judges",
        }
    )  # fmt: skip
    choices = pl.DataFrame(
        {
            "question_id": ids, "asked": pl.Series([None] * 3, dtype=pl.String), "variant": "full",
            "selector": "choose",
            "order": [[0, 1]] * 3, "chosen_sample": pl.Series([1, 0, 0], dtype=pl.Int32),
            "shared": pl.Series([None] * 3, dtype=pl.List(pl.Int32)), "how": "strict",
        }
    )  # fmt: skip
    questions = pl.DataFrame({"question_id": ids, "cluster": ids})
    row = measured(questions, grades, choices, 2, "grade")["metrics"].row(0, named=True)
    assert (row["n"], row["ungraded"], row["unit"], row["grading"]) == (2, 1, "grade", "judges")
    assert row["s_gen"] == pytest.approx(5.0)
    assert row["s_disc"] == pytest.approx(5.5)
    assert "1 of 3 items are left out: 1 lack a grade." in row["note"]
    unrated = grades.with_columns(grade=pl.lit(None, pl.Float64))
    nothing = measured(questions, unrated, choices, 2, "grade")["metrics"].row(0, named=True)
    assert (nothing["n"], nothing["ungraded"], nothing["s_gen"], nothing["verdict"]) == (
        0,
        3,
        None,
        "undecided",
    )


def test_every_number_has_a_column_and_every_column_a_number():
    ids = ["a", "b"]
    grades = pl.DataFrame(
        {"question_id": ["a", "a", "b", "b"], "sample": [0, 1, 0, 1], "extracted": ["1", "2", "1", "2"],
         "grade": [1.0, 0.0, 0.0, 1.0], "grading": "rule", "extracted_other": ["1"] * 4,
         "grade_other": [1.0] * 4}
    )  # fmt: skip
    choices = pl.DataFrame(
        [
            {"question_id": name, "k": 2, "variant": "full", "selector": "choose", "order": [0, 1],
            "how": "strict",
             "chosen_sample": right}
            for right, name in enumerate(ids)
        ],
        schema=SCHEMA,
    )  # fmt: skip
    questions = pl.DataFrame({"question_id": ids, "cluster": ids})
    known = {column.name for column in [*CELL, *GRADED]} - {"model", "task"}
    assert [set(row) for row in rows_of(questions, grades, choices, 2, 7)] == [known, known]
    assert set(schema_of(METRICS)) == set(EMPTY)
    tables = measured(questions, grades, choices, 2)
    assert tables["metrics"].schema == schema_of(CELL)
    assert tables["gradings"].schema == schema_of(GRADED)
    assert tables["metrics"]["p_randomisation"].to_list() == [0.25], "two right choices of two"
