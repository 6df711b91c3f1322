"""Outputs that came with a pool: conversations share theirs, and those that were cut have no ending."""

import json

import pytest
from pydantic import TypeAdapter

from selfincorrect.errors import UserError
from selfincorrect.pools.judgements import votes_of
from selfincorrect.pools.kinds import Outputs, Pool
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
    [row] = score_rows("reward", {"q": [*scores, 9.0]}, True, [question], 2)
    assert (row["variant"], row["selector"], row["how"]) == ("reward", "score", how)
    assert (row["scores"], row["probabilities"], row["shared"]) == (scores, True, shared)
    assert row["chosen_sample"] == chosen or shared


def test_turns_share_the_choice_of_their_mean_scores():
    rows = score_rows("reward", {"m-1-1": [1, 2], "m-1-2": [4, 1]}, False, TURNS[:2], 2)
    assert [(row["question_id"], row["chosen_sample"]) for row in rows] == [("m-1", 0)]
    assert [row["asked"] for row in spread(rows, TURNS)] == ["m-1", "m-1"]


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        ([{"question_id": "a-0", "sample": s, "text": "x", "p": p} for s, p in ((1, 0.9), (0, 0.2))], {}),
        ([{"doc": {"question_id": "a-0"}, "resps": [["x", "y"]], "p": [0.2, 0.9]}], {"format": "lm-eval"}),
        (
            [{"question": "a-0", "x": "1", "y": "2", "p": 0.2, "r": 0.9}],
            {"format": "columns", "answers": ["x", "y"], "scores": {"reward": ["p", "r"]}},
        ),
    ],
)
def test_scores_of_every_format(tmp_path, rows, changed):
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    given = {"path": str(path), "scores": {"reward": "p"}} | changed
    pool = TypeAdapter(Pool).validate_python(given)
    assert scores_of(pool, [Question("a-0", "a-0", "?", ())]) == {"reward": {"a-0": [0.2, 0.9]}}


@pytest.mark.parametrize(
    ("row", "columns", "words"),
    [
        ({"p": 7}, ["p"], "1 of 1 scores \\(reward\\) are no probabilities, such as 7"),
        ({"p": "high"}, ["p"], "`p` is 'high', neither a number"),
        ({}, ["p"], "no column 'p'"),
        ({"p": 0.5}, ["p", "r"], "it is one column"),
    ],
)
def test_scores_that_are_none(tmp_path, row, columns, words):
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"question_id": "a-0", "sample": 0, "text": "x"} | row))
    given = {"path": str(path), "scores": {"reward": {"columns": columns, "probabilities": True}}}
    with pytest.raises(UserError, match=words):
        scores_of(TypeAdapter(Pool).validate_python(given), [Question("a-0", "a-0", "?", ())])


@pytest.mark.parametrize(
    ("given", "swapped", "mapped", "votes"),
    [
        ("A>B", "B>A", False, (2, 0)),
        ("A>B", "A>B", False, (1, 1)),
        ("B>A", "A>B", False, (0, 2)),
        ("A=B", "B>A", False, (1.5, 0.5)),
        ("[[A>B]]", "tie", False, (1.5, 0.5)),
        ("A>>B", None, False, (1, 0)),
        ("nothing", "", False, (None, None)),
        (1, 1, True, (2, 0)),
        ("2", "first", True, (1, 1)),
        ("AB", "B>A", False, (1, 0)),
    ],
)
def test_judgements_in_both_orders_are_votes(given, swapped, mapped, votes):
    assert votes_of(given, swapped, mapped) == votes


def test_judgements_and_scores_of_one_file_have_names(tmp_path):
    path = tmp_path / "pool.jsonl"
    rows = [
        {"question": "a-0", "x": "1", "y": "2", "p": 0.2, "r": 0.9, "one": "A>B", "two": "A>B"},
        {"question": "a-1", "x": "1", "y": "2", "p": 0.5, "r": 0.1, "one": "B>A", "two": "A=B"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    scores = {"reward": ["p", "r"], "judge": {"given": "one", "swapped": "two"}}
    given = {"path": str(path), "format": "columns", "answers": ["x", "y"], "scores": scores}
    questions = [Question(name, name, "?", ()) for name in ("a-0", "a-1")]
    found = scores_of(TypeAdapter(Pool).validate_python(given), questions)
    assert found["reward"] == {"a-0": [0.2, 0.9], "a-1": [0.5, 0.1]}
    assert found["judge"] == {"a-0": [1, 1], "a-1": [0.5, 1.5]}
    three = {**given, "answers": ["x", "y", "x"]}
    with pytest.raises(UserError, match=r"2 columns of scores \(reward\) for 3 answers"):
        scores_of(TypeAdapter(Pool).validate_python(three), questions)
