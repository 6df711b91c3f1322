"""Outputs that came with a pool: conversations share theirs, and those that were cut have no ending."""

import pytest

from selfincorrect.pools.kinds import Outputs
from selfincorrect.pools.outputs import by_conversation, output_rows
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
