"""The viewer's data: what is in a part, what is left out, and that no text gets out of it."""

import base64
import gzip
import json
import re

import polars as pl
import pytest

from selfincorrect.report.page import viewer as made

EVIL = "</script><script>alert(1)</script>\x00\ud7ff"


def unpacked(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.fixture
def run(tmp_path):
    """Two models on one task of 90 questions, with two candidates each and two ways of choosing."""
    questions = {f"q{i}": {"question": f"Question {i}? {EVIL}", "references": ["a", "b"]} for i in range(90)}
    files = {}
    for model in ("one", "two"):
        rows = [(name, sample) for name in questions for sample in (0, 1)]
        pool = pl.DataFrame(rows, schema=["question_id", "sample"], orient="row")
        candidates = pool.with_columns(
            text=pl.lit(EVIL),
            reasoning=pl.lit(None, dtype=pl.String),
            prompt="Shown before.\n" + pl.col("question_id"),
        )
        grades = pool.with_columns(extracted=pl.lit("x"), grade=pl.col("sample").cast(pl.Float64))
        choices = pl.DataFrame(
            [
                {
                    "question_id": name, "k": 2, "variant": way, "discriminator": asked, "selector": "choose",
                    "order": [0, 1], "output": EVIL, "scores": [0.123456, float("inf")],
                    "parsed": "2", "how": "strict",
                    "chosen_sample": picked, "shared": None, "valid": valid, "prompt": f"Which?\n{name}",
                }
                for name in questions
                for way, asked, picked, valid in (("full", model, 1, True), ("again", "other", None, False))
            ],
            schema_overrides={"chosen_sample": pl.Int64, "shared": pl.List(pl.Int64)},
        )  # fmt: skip
        files[model, "task"] = {"candidates": None, "grades": None, "choices": None}
        for name, table in (("candidates", candidates), ("grades", grades), ("choices", choices)):
            table.write_parquet(tmp_path / f"{model}-{name}.parquet")
            files[model, "task"][name] = [str(tmp_path / f"{model}-{name}.parquet")]
    asked = {pair: list(questions) for pair in files}

    def build(most=1_000, knowing=("oracle",)):
        return made.viewer(list(files), {"task": questions}, files, asked, knowing, most)

    return build


def test_every_question_is_there_with_all_that_happened_to_it(run):
    found = run()
    assert (found.shown, found.questions, len(found.parts)) == (180, 180, 6)
    index = unpacked(found.index)
    assert index["pairs"] == [["one", "task"], ["two", "task"]]
    assert index["ways"] == [[2, "full"], [2, "again by other"]]
    assert index["knowing"] == ["oracle"]
    pair, part, place, name, opening, mixed, picks = index["rows"][131]
    assert (pair, part, place, name, mixed) == (1, 4, 1, "q41", True)
    assert opening == f"Question 41? {EVIL}"[: made.OPENING]
    assert picks == [[0, 1, 1.0], [1, None, None]]
    told = unpacked(found.parts[part])
    question = told["questions"][place]
    assert question["question"] == f"Question 41? {EVIL}"
    assert question["candidates"] == [[0, EVIL, None, "x", 0.0], [1, EVIL, None, "x", 1.0]]
    full, again = question["choices"]
    assert full["scores"] == [0.1235, None]
    assert (full["picked"], full["grade"]) == ([1], 1.0)
    assert (again["picked"], again["grade"]) == ([], None)
    assert told["heads"][""] + question["prompt"] == "Shown before.\nq41"
    assert told["heads"]["0"] + full["prompt"] == "Which?\nq41"


def test_what_stands_in_the_page_is_base64_and_the_same_every_time(run):
    found, again = run(), run()
    assert [found.index, *found.parts] == [again.index, *again.parts]
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", text) for text in (found.index, *found.parts))


def test_a_page_carries_as_many_questions_of_each_model_as_it_can(run, monkeypatch):
    assert run(most=20).shown == 20
    assert run(most=0).parts == []
    monkeypatch.setattr(made, "PART", 10)
    whole = run()
    monkeypatch.setattr(made, "BYTES", sum(map(len, whole.parts)) // 2)
    half = run()
    assert 40 <= half.shown < 120
    assert {row[0] for row in unpacked(half.index)["rows"]} == {0, 1}
    assert sum(map(len, half.parts)) <= made.BYTES


def test_long_texts_are_cut_and_say_so(run, monkeypatch):
    monkeypatch.setattr(made, "CLIP", 20)
    question = unpacked(run().parts[0])["questions"][0]
    assert question["candidates"][0][1] == f"{EVIL[:20]}\n[{len(EVIL) - 20} more characters, in the tables]"
