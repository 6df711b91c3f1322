"""Pools from elsewhere: every format, every mistake a file can hold, and the choices of the rules that
need no model.
"""

import gzip
import json
from pathlib import Path
from random import Random

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from selfincorrect.discriminate.asked import best_of
from selfincorrect.discriminate.choices import selected_rows
from selfincorrect.discriminate.parse import parse_pattern
from selfincorrect.discriminate.selectors.base import Given
from selfincorrect.discriminate.selectors.registry import free, get_selector, rule
from selfincorrect.errors import UserError
from selfincorrect.grade import grades as grading
from selfincorrect.pools.formats import read, read_outputs
from selfincorrect.pools.kinds import Outputs, Pool
from selfincorrect.pools.match import pool_table
from selfincorrect.pools.outputs import output_rows
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.variant import Variant

QUESTIONS = [
    Question("g-0", "g-0", "What is 2 + 2?", ("4",)),
    Question("g-1", "g-1", "What is 9 \u2028+ 9?", ("18",)),
    Question("g-2", "g-2", "What is 1 + 1?", ("2",)),
]
ROWS = [
    {"question_id": "g-1", "sample": 1, "text": "#### 17"},
    {"question_id": "g-0", "sample": 0, "text": "#### 4"},
    {"question_id": "g-0", "sample": 1, "text": None},
    {"question_id": "g-1", "sample": 0, "text": "#### 18"},
]


def pool(**settings):
    return TypeAdapter(Pool).validate_python({"path": "unused", **settings})


def jsonl(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return str(path)


def brought(path, k=2, **settings):
    made = pool(path=path, **settings)
    return pool_table(read(made), QUESTIONS, made.file(), k)


def found(table):
    return table.select("question_id", "sample", "text").rows()


EXPECTED = [("g-0", 0, "#### 4"), ("g-0", 1, None), ("g-1", 0, "#### 18"), ("g-1", 1, "#### 17")]


def test_canonical_json_lines_and_parquet(tmp_path):
    assert found(brought(jsonl(tmp_path / "a.jsonl", ROWS))) == EXPECTED
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    table = brought(str(tmp_path / "a.parquet"), format="canonical")
    assert found(table) == EXPECTED
    assert "grade" not in table.columns


def test_other_spellings_of_the_same_file(tmp_path):
    text = jsonl(tmp_path / "a.jsonl", ROWS)
    lines = Path(text).read_text()
    (tmp_path / "array.json").write_text(json.dumps(ROWS, indent=1))
    (tmp_path / "mark.jsonl").write_text(lines, encoding="utf-8-sig")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pl.DataFrame(ROWS).write_csv(tmp_path / "a.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for name in ("array.json", "mark.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz"):
        assert found(brought(str(tmp_path / name))) == EXPECTED, name


def test_questions_are_matched_by_their_text(tmp_path):
    texts = {question.question_id: question.question for question in QUESTIONS}
    rows = [
        {"question": texts[row["question_id"]], **{k: row[k] for k in ("sample", "text")}} for row in ROWS
    ]
    assert found(brought(jsonl(tmp_path / "a.jsonl", rows))) == EXPECTED
    rows[0]["question"] = f" {rows[0]['question']}  "
    assert found(brought(jsonl(tmp_path / "a.jsonl", rows))) == EXPECTED, "blanks make no other question"
    rows[0]["question"] += "x"
    with pytest.raises(UserError, match=r"1 of 3 questions \(1 rows\) are unknown"):
        brought(jsonl(tmp_path / "a.jsonl", rows))


def test_grades_come_along_and_stand(tmp_path):
    given = [{**row, "grade": grade} for row, grade in zip(ROWS, (True, 0, False, "1"), strict=True)]
    table = brought(jsonl(tmp_path / "a.jsonl", given))
    assert table["grade"].to_list() == [0.0, 0.0, 1.0, 1.0]
    questions = {question.question_id: question for question in QUESTIONS}
    graded = grading.grade_table(table, questions, get_task("gsm8k"))
    assert graded["grading"].unique().to_list() == ["given"]
    assert graded["grade"].to_list() == [0.0, 0.0, 1.0, 1.0], "theirs"
    assert graded["grade_flexible"].to_list() == graded["grade_strict"].to_list() == [1.0, 0.0, 1.0, 0.0], (
        "ours"
    )
    assert graded["extracted"].to_list() == ["4", None, "18", "17"], (
        "whole solutions agree if their answers do"
    )
    final = grading.grade_table(table, questions, get_task("gsm8k"), "final")
    assert final["extracted"].to_list() == ["#### 4", None, "#### 18", "#### 17"], (
        "as answers alone they are none"
    )
    assert graded["extracted_flexible"].to_list() == ["4", None, "18", "17"]


def lm_eval_rows():
    docs = {
        question.question_id: {"question": question.question, "answer": "#### 0"}
        for question in QUESTIONS[:2]
    }
    responses = {"g-0": [["#### 4", ""]], "g-1": [["#### 18", "#### 17"]]}
    return [
        {"doc_id": index, "doc": doc, "target": "0", "arguments": {}, "resps": responses[identity],
         "filtered_resps": ["4"], "filter": name, "metrics": ["exact_match"], "exact_match": 1.0}
        for name in ("strict-match", "flexible-extract")
        for index, (identity, doc) in enumerate(docs.items())
    ]  # fmt: skip


def test_lm_eval_logs_with_two_filters(tmp_path):
    table = brought(jsonl(tmp_path / "samples.jsonl", lm_eval_rows()), format="lm-eval")
    assert found(table) == [("g-0", 0, "#### 4"), ("g-0", 1, ""), *EXPECTED[2:]]


def test_lm_eval_logs_of_a_multiple_choice_task(tmp_path):
    rows = [{**row, "resps": [[["-1.5", "False"]], [["-2.0", "True"]]]} for row in lm_eval_rows()]
    with pytest.raises(UserError, match="Only tasks that generate"):
        brought(jsonl(tmp_path / "a.jsonl", rows), format="lm-eval")


FLAT = [
    {"q": QUESTIONS[0].question, "a1": "4", "a2": "null", "r1": True, "r2": False, "out": "so\n### 1"},
    {"q": QUESTIONS[1].question, "a1": "17", "a2": "18", "r1": False, "r2": True, "out": "### 2.5"},
    {"q": QUESTIONS[2].question, "a1": "3", "a2": "2", "r1": False, "r2": True, "out": None},
]
COLUMNS = {"format": "columns", "question": "q", "answers": ["a1", "a2"], "grades": ["r1", "r2"]}


def test_flat_files(tmp_path):
    path = jsonl(tmp_path / "flat.jsonl", FLAT)
    table = brought(path, **COLUMNS)
    assert table["text"].to_list() == ["4", "null", "17", "18", "3", "2"]
    assert table["grade"].to_list() == [1, 0, 0, 1, 0, 1]
    dropped = brought(path, **COLUMNS, drop=["null"])
    assert dropped["question_id"].unique(maintain_order=True).to_list() == ["g-1", "g-2"]
    pl.read_ndjson(path).select("q", "a1", "a2", "r1", "r2").write_csv(tmp_path / "flat.csv")
    assert brought(str(tmp_path / "flat.csv"), **COLUMNS).equals(table)


def test_outputs_of_flat_files(tmp_path):
    path = jsonl(tmp_path / "flat.jsonl", FLAT)
    outputs = read_outputs(pool(path=path, **COLUMNS, outputs={"column": "out"}))
    by_id = {q.question_id: outputs[q.question] for q in QUESTIONS}
    rows = output_rows(by_id, Outputs(column="out"), 2)
    assert [(row["chosen_sample"], row["how"], row["variant"]) for row in rows] == [
        (0, "strict", "outputs"), (None, "range", "outputs"), (None, "none", "outputs"),
    ]  # fmt: skip
    loose = output_rows(by_id, Outputs(column="out", pattern=r"### *(\d+)\b"), 2)
    assert [row["chosen_sample"] for row in loose] == [0, 1, None], "the pattern is the user's own"


def test_pattern_takes_the_last_match_and_refuses_other_labels():
    assert parse_pattern("### 1 then ### 2", ["1", "2"], r"### (\d)").parsed == "2"
    assert parse_pattern("### 3", ["1", "2"], r"### (\d)").how == "range"
    assert parse_pattern("none", ["1", "2"], r"### (\d)").how == "none"


def without(rows, key):
    return [{k: v for k, v in row.items() if k != key} for row in rows]


MISTAKES = {
    "no text": (without(ROWS, "text"), {}, ["4 of 4 rows have no column 'text'",
    "found: question_id, sample"]),
    "no question": (without(ROWS, "question_id"), {}, ["no column 'question'"]),
    "a column in some rows": ([*ROWS[:3], without(ROWS[3:], "sample")[0]], {}, ["1 of 4 rows have no column "
                                                                                "'sample'"]),
    "duplicate samples": ([*ROWS, ROWS[0], ROWS[0]], {}, ["2 duplicate samples in 1 questions", "g-1",
    "[0, 1, 1, 1]"]),
    "unknown questions": ([*ROWS, {**ROWS[0], "question_id": "g-9"}], {}, ["1 of 3 questions (1 rows) are "
                                                                           "unknown", "'g-9'", "'g-0'"]),
    "unequal n": (ROWS[1:], {}, ["unequal numbers of candidates: 1 questions with 1, 1 questions with 2"]),
    "samples from 1": ([{**row, "sample": row["sample"] + 1} for row in ROWS], {}, ["samples of 2 questions "
                                                                                    "are not 0 to 1"]),
    "no whole sample": ([{**ROWS[0], "sample": 0.5}], {}, ["row 1", "not a whole number"]),
    "a text that is none": ([{**ROWS[0], "text": ["a"]}], {}, ["row 1", "a text is wanted", '["a"]']),
    "some grades": ([{**ROWS[0], "grade": 1}, *ROWS[1:]], {}, ["1 of 4 candidates have a grade"]),
    "a grade in words": ([{**ROWS[0], "grade": "good"}], {}, ["`grade` is 'good'",
    "neither a number nor true or false"]),
    "too few for k": (ROWS, {"k": 3}, ["2 candidates a question, and k = 3", "at most 2"]),
    "no id": ([{**ROWS[0], "question_id": None}], {}, ["row 1", "`question_id` is empty"]),
    "a grade beyond 1": ([{**row, "grade": 7} for row in ROWS], {}, ["4 of 4 grades lie outside 0 to "
                                                                     "1", "such as 7.0"]),
    "no mappings": ([ROWS[0], 5], {}, ["row 2 is '5', not a mapping"]),
    "nothing": ([], {}, ["cannot be read", "empty CSV"]),
    "flat without a column": (FLAT, {**COLUMNS, "answers": ["a1", "a9"], "grades": None},
    ["3 of 3 rows have no column 'a9'", "q, a1, a2"]),
    "lm-eval without responses": (ROWS, {"format": "lm-eval"}, ["no column 'doc'", "--log_samples"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_stop_with_counts(tmp_path, name):
    rows, settings, words = MISTAKES[name]
    with pytest.raises(UserError) as caught:
        brought(jsonl(tmp_path / "a.jsonl", rows), **settings)
    for word in (*words, "a.jsonl"):
        assert word in str(caught.value)


def test_a_text_of_several_questions_needs_ids(tmp_path):
    twice = [*QUESTIONS, Question("g-3", "g-3", QUESTIONS[0].question, ("4",))]
    rows = [{"question": QUESTIONS[0].question, "sample": 0, "text": "4"}]
    made = pool(path=jsonl(tmp_path / "a.jsonl", rows))
    with pytest.raises(UserError, match="1 texts belong to several questions"):
        pool_table(read(made), twice, made.file(), 1)


def test_formats_have_their_own_keys_and_no_others():
    with pytest.raises(ValidationError, match="answers"):
        pool(format="canonical", answers=["a"])
    with pytest.raises(ValidationError, match="canonical, lm-eval or columns"):
        pool(format="csv")


CANDIDATES = [Candidate("Paris", "paris", 1.0), Candidate("Lyon, I think", "lyon", 0.0), Candidate("paris",
"paris", 1.0), Candidate(None, None, 0.0)]  # fmt: skip


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("majority", [0, 2]), ("longest", [1]), ("shortest", [3]), ("oracle", [0, 2]), ("random", [0, 1, 2, 3])],
)
def test_rules(selector, expected):
    assert best_of(
        rule(Variant(selector=selector)).scores(CANDIDATES, Given(Variant(), Random(0), ()))
    ) == tuple(expected)


def test_selected_rows_share_ties_and_draw_by_seed():
    names = [f"q{i}" for i in range(400)]
    pool = dict.fromkeys(names, CANDIDATES)
    rows = {rule: selected_rows(rule, Variant(selector=rule), pool, names, 4, 7) for rule in free()}
    assert {row["chosen_sample"] for row in rows["longest"]} == {1}
    assert all(row["shared"] == [0, 2] for row in rows["majority"])
    drawn = [row["chosen_sample"] for row in rows["random"]]
    assert [drawn.count(sample) for sample in range(4)] == pytest.approx([100] * 4, abs=35)
    assert all(row["shared"] is None for row in rows["random"])
    assert rows["random"] == selected_rows("random", Variant(selector="random"), pool, names, 4, 7)
    first = selected_rows("oracle", Variant(selector="oracle"), pool, names, 1, 7)
    assert {row["chosen_sample"] for row in first} == {0}, "among the first k alone"
    with pytest.raises(LookupError, match="best"):
        get_selector("best")
