"""Files of other people: loose forms are read, damage is one message with the file and the line, and
nothing takes for ever.
"""

import gzip
import json
from contextlib import suppress

import polars as pl
import pytest

from selfincorrect.discriminate.parse import parse_choice
from selfincorrect.errors import UserError
from selfincorrect.pools.formats import read, read_outputs
from selfincorrect.pools.kinds import Outputs
from selfincorrect.pools.outputs import output_rows
from selfincorrect.sources.kinds import LocalFile
from selfincorrect.sources.rows import read_rows
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import NAMES, get_task
from tests.unit.pools.test_match import brought, found, jsonl, pool


def doc(number, *responses, **more):
    ids = (
        {"question_id": f"g-{number}"}
        if more.pop("ids", True)
        else {"question": ["What is 2 + 2?", "What is 9 \u2028+ 9?"][number]}
    )
    return {"doc": {**ids, **more.pop("doc", {})}, "resps": [list(responses)], **more}


READ = [("g-0", 0, "4"), ("g-0", 1, "5"), ("g-1", 0, "18"), ("g-1", 1, "17")]


@pytest.mark.parametrize(
    "rows",
    [
        [doc(0, "4", "5"), doc(1, "18", "17")],
        # Before the key `filter`: each question once a filter, the same responses.
        [
            doc(0, "4", "5", ids=False),
            doc(0, "4", "5", ids=False),
            doc(1, "18", "17", ids=False),
            doc(1, "18", "17", ids=False),
        ],
        # TriviaQA's full set repeats ids; what was answered the second time is another draw.
        [doc(0, "4", "5"), doc(1, "18", "17"), doc(0, "6", "7")],
        [doc(0, "4", "5", filter="a"), doc(0, "4", "5", filter="b"), doc(1, "18", "17", filter="a")],
        [{**doc(0), "resps": ["4", "5"]}, {**doc(1), "resps": ["18", "17"]}],
    ],
)
def test_logs_of_lm_evaluation_harness_in_all_their_forms(tmp_path, rows):
    assert found(brought(jsonl(tmp_path / "a.jsonl", rows), format="lm-eval")) == READ


@pytest.mark.parametrize("responses", [[["a"], ["b"]], [[1]], "text", {"a": 1}, [[["a"]]]])
def test_other_responses_are_one_message(tmp_path, responses):
    with pytest.raises(UserError, match=r"a.jsonl, row 1: `resps` is not one list"):
        brought(jsonl(tmp_path / "a.jsonl", [{**doc(0), "resps": responses}]), format="lm-eval")


def test_outputs_come_with_every_format(tmp_path):
    spec = {"column": "said"}
    canonical = [
        {"question_id": f"g-{i}", "sample": s, "text": "x", "said": f"### {i + 1}"}
        for i in range(2)
        for s in range(2)
    ]
    made = pool(path=jsonl(tmp_path / "a.jsonl", canonical), outputs=spec)
    assert read_outputs(made) == {"g-0": "### 1", "g-1": "### 2"}
    logged = [doc(0, "a", "b", said="### 1"), doc(1, "a", "b", doc={"said": "### 2"})]
    made = pool(path=jsonl(tmp_path / "b.jsonl", logged), format="lm-eval", outputs=spec)
    assert read_outputs(made) == {"g-0": "### 1", "g-1": "### 2"}
    with pytest.raises(UserError, match="no row has a column 'said'"):
        read_outputs(pool(path=jsonl(tmp_path / "c.jsonl", [doc(0, "a")]), format="lm-eval", outputs=spec))


def test_null_stands_for_no_answer(tmp_path):
    rows = [{"question": "g-0", "a": None, "b": "4"}, {"question": "g-1", "a": "1", "b": "2"}]
    made = pool(path=jsonl(tmp_path / "a.jsonl", rows), format="columns", answers=["a", "b"], drop=[None])
    assert {row.key for row in read(made)} == {"g-1"}


def test_a_pattern_that_takes_for_ever_is_named(monkeypatch):
    monkeypatch.setattr("selfincorrect.discriminate.parse.PATTERN_SECONDS", 0.1)
    with pytest.raises(UserError, match=r"The pattern .* takes too long on the output of g-0"):
        output_rows({"g-0": "a" * 40 + "b"}, Outputs(column="said", pattern="(?:(a|aa)+)+$"), 2)


TEXT = "\n".join(json.dumps({"a": number, "b": "text"}) for number in range(300))


PACKED = gzip.compress(TEXT.encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PACKED[:-20], "cut off"),
        (PACKED[:100] + b"xx" + PACKED[102:], "damaged"),
        (TEXT.encode() + b'\n{"a": ', "line 301"),
        (b'{"a": ' + b"[" * 100_000, "nested too deep"),
        (b'{"a": 1}\n{"a": 1, "a": 2}', "line 2: it says 'a' twice"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": 1}\n5', "line|row 2"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
    ids=["cut", "damaged", "line", "object", "twice", "brackets", "number", "bytes"],
)  # fmt: skip
def test_a_damaged_file_is_one_message(tmp_path, content, words):
    path = tmp_path / "a.file"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a.file cannot be read") as caught:
        list(read_rows(path))
    assert any(each in str(caught.value) for each in words.split("|"))
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("kind", ["parquet", "stream", "file"])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_changed_bytes_in_a_table_are_read_or_one_message(tmp_path, kind, place):
    path, table = (
        tmp_path / "a.file",
        pl.DataFrame({"question_id": [f"g-{i}" for i in range(500)], "text": ["x"] * 500}),
    )
    {"parquet": table.write_parquet, "stream": table.write_ipc_stream, "file": table.write_ipc}[kind](path)
    assert len(list(read_rows(path))) == 500
    data = bytearray(path.read_bytes())
    start = int(len(data) * place)
    data[start : start + 4] = b"\xff\x7f\xff\x7f"
    path.write_bytes(data)
    with suppress(UserError):  # and no other end
        assert len(list(read_rows(path))) <= 500


def test_half_a_surrogate_becomes_the_replacement_character(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "\\ud83d", "whole": "\\ud83d\\ude00"}')
    assert list(read_rows(tmp_path / "a.jsonl")) == [{"text": "\ufffd", "whole": "\U0001f600"}]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "row",
    [
        {"x": 1},
        {
            "question": [1],
            "answer": 5,
            "question_id": None,
            "country": [2],
            "title": 3,
            "words": 4,
            "review": 5,
        },
    ],
)
def test_data_of_ones_own_says_which_columns_are_wanted(tmp_path, name, row):
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(UserError, match=r"has not the columns of this task") as caught:
        load_questions(get_task(name), LocalFile(path=str(tmp_path / "a.jsonl")))
    assert f"Wanted: {get_task(name).COLUMNS}." in str(caught.value)


def test_a_number_that_no_page_holds_is_none(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"question": "How many?", "answer": "#### 1e900000000000"}))
    with pytest.raises(UserError, match="no number after"):
        load_questions(get_task("gsm8k"), LocalFile(path=str(tmp_path / "a.jsonl")))
    assert parse_choice("9" * 5000, ["1", "2"], "{label}").how == "range"
