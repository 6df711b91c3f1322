"""Outputs that came with a pool: conversations share theirs, and those that were cut have no ending."""

import json

import pytest
from pydantic import TypeAdapter

from selfincorrect.errors import UserError
from selfincorrect.pools.kinds import Outputs, Pool, Scores
from selfincorrect.pools.match import scores_of
from selfincorrect.pools.outputs import by_conversation, output_rows, score_rows
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import spread

TURNS = [Question(f"m-{number}-{turn}", f"m-{number}", "?", ()) for number in (1, 2) for turn in (1, 2)]
SENTENCE = "The first of these solutions counts every egg twice and so it ends with too many of them"


@pytest.mark.parametrize(
    ("outputs", "asked", "shared"),
    [
        ({"m-1-1": "### 1", "m-1-2": "### 1"}, {"m-1": "### 1"}, ["m-1", "m-1"]),
        ({"m-1-1": "### 2"}, {"m-1": "### 2"}, ["m-1", "m-1"]),
        ({"m-1-2": "### 2"}, {"m-1": "### 2"}, ["m-1", "m-1"]),
        ({}, {"m-1": None}, ["m-1", "m-1"]),
        ({"m-1-1": "### 1", "m-1-2": "### 2"}, {"m-1-1": "### 1", "m-1-2": "### 2"}, [None, None]),
    ],
)
def test_turns_with_one_output_share_the_choice(outputs, asked, shared):
    found = by_conversation(outputs, TURNS[:2])
    assert found == asked
    rows = spread(output_rows(found, Outputs(column="out"), 2), TURNS)
    assert [row["question_id"] for row in rows] == ["m-1-1", "m-1-2"]
    assert [row.get("asked") for row in rows] == shared


@pytest.mark.parametrize(
    ("output", "how"),
    [
        (f"{SENTENCE}, while solution 2 is", "cut"),
        (f"{SENTENCE}, as it has 2 *", "cut"),
        (f"{SENTENCE}, and I pick 2.", "loose"),
        (f"{SENTENCE}. The best is solution 2", "loose"),
        (f"{SENTENCE} here\n### 2", "strict"),
        ("I pick 2 because it is right", "loose"),  # much shorter than the longest
    ],
)
def test_long_outputs_that_end_inside_a_sentence_were_cut(output, how):
    outputs = {"g-0": output, "g-1": f"{SENTENCE}, and it is right.\n### 1"}
    assert output_rows(outputs, Outputs(column="out"), 2)[0]["how"] == how


def test_short_outputs_were_not_cut():
    assert output_rows({"g-0": "I pick 2 over the other"}, Outputs(column="out"), 2)[0]["how"] == "loose"


@pytest.mark.parametrize(
    ("scores", "chosen", "shared", "how"),
    [
        ([0.2, 0.7], 1, None, "strict"),
        ([0.5, 0.5], None, [0, 1], "strict"),
        ([None, 0.1], 1, None, "strict"),
        ([None, None], None, None, "none"),
    ],
)
def test_scores_choose_the_highest(scores, chosen, shared, how):
    question = Question("q", "q", "?", ())
    [row] = score_rows({"q": [*scores, 9.0]}, Scores(columns=["p"], probabilities=True), [question], 2)
    assert (row["variant"], row["selector"], row["how"]) == ("scores", "score", how)
    assert (row["scores"], row["probabilities"], row["shared"]) == (scores, True, shared)
    assert row["chosen_sample"] == chosen or shared


def test_turns_share_the_choice_of_their_mean_scores():
    rows = score_rows({"m-1-1": [1, 2], "m-1-2": [4, 1]}, Scores(columns=["p"]), TURNS[:2], 2)
    assert [(row["question_id"], row["chosen_sample"]) for row in rows] == [("m-1", 0)]
    assert [row["asked"] for row in spread(rows, TURNS)] == ["m-1", "m-1"]


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        ([{"question_id": "a-0", "sample": s, "text": "x", "p": p} for s, p in ((1, 0.9), (0, 0.2))], {}),
        ([{"doc": {"question_id": "a-0"}, "resps": [["x", "y"]], "p": [0.2, 0.9]}], {"format": "lm-eval"}),
        (
            [{"question": "a-0", "x": "1", "y": "2", "p": 0.2, "r": 0.9}],
            {"format": "columns", "answers": ["x", "y"], "scores": {"columns": ["p", "r"]}},
        ),
    ],
)
def test_scores_of_every_format(tmp_path, rows, changed):
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    given = {"path": str(path), "scores": {"columns": ["p"], "probabilities": True}} | changed
    pool = TypeAdapter(Pool).validate_python(given)
    assert scores_of(pool, [Question("a-0", "a-0", "?", ())]) == {"a-0": [0.2, 0.9]}


@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        ({"p": 7}, ["p"], "1 of 1 scores are no probabilities, such as 7"),
        ({"p": "high"}, ["p"], "`p` is 'high', neither a number"),
        ({}, ["p"], "no column 'p'"),
        ({"p": 0.5}, ["p", "r"], "it is one column"),
    ],
)
def test_scores_that_are_none(tmp_path, row, columns, words):
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"question_id": "a-0", "sample": 0, "text": "x"} | row))
    given = {"path": str(path), "scores": {"columns": columns, "probabilities": True}}
    with pytest.raises(UserError, match=words):
        scores_of(TypeAdapter(Pool).validate_python(given), [Question("a-0", "a-0", "?", ())])
