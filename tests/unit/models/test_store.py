"""The response store: nothing lost, nothing invented, damage found."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.errors import UserError
from selfincorrect.models.store import ResponseStore


def segment(folder):
    return next(folder.glob("*.jsonl"))


def filled(folder):
    store = ResponseStore(folder)
    store.add([("a", {"text": "eins"}), ("b", {"text": "zwei\u2028drei"})])
    store.add([("c", {"text": None})])
    store.close()
    return ResponseStore(folder)


def test_answers_come_back(tmp_path):
    store = filled(tmp_path)
    assert len(store) == 3
    assert store.get("b") == {"text": "zwei\u2028drei"}
    assert "d" not in store
    with pytest.raises(KeyError):
        store.get("d")


def test_a_store_that_is_only_read_makes_no_file(tmp_path):
    ResponseStore(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_two_writers_share_a_folder(tmp_path):
    one, two = ResponseStore(tmp_path), ResponseStore(tmp_path)
    one.add([("a", 1)])
    two.add([("b", 2)])
    assert len(ResponseStore(tmp_path)) == 2


@given(cut=st.integers(1, 400))
@settings(max_examples=50, deadline=None)
def test_a_torn_last_line_is_dropped(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("store")
    filled(folder)
    path = segment(folder)
    content = path.read_bytes()
    kept = content[: max(len(content) - cut, 0)]
    path.write_bytes(kept)
    store = ResponseStore(folder)
    assert len(store) == kept.count(b"\n")


def test_a_changed_answer_is_an_error_with_file_and_line(tmp_path):
    filled(tmp_path)
    path = segment(tmp_path)
    path.write_text(path.read_text().replace("eins", "zehn"))
    with pytest.raises(UserError, match=r"damaged: .*line 1: .*\n.*\n +selfincorrect store check '"):
        ResponseStore(tmp_path)


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=80, deadline=None)
def test_no_flipped_bit_changes_an_answer(tmp_path_factory, position, bit):
    folder = tmp_path_factory.mktemp("store")
    before = filled(folder)
    path = segment(folder)
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        after = ResponseStore(folder)
    except UserError:
        return
    # Not found out only where the damage ends a line early or removes the last line's end: then answers are
    # missing.
    assert all(key not in after or after.get(key) == before.get(key) for key in "abc")


def test_a_line_of_another_shape_is_damage(tmp_path):
    filled(tmp_path)
    with open(segment(tmp_path), "a") as file:
        file.write(json.dumps({"other": 1}) + "\n")
    with pytest.raises(UserError, match="line 4"):
        ResponseStore(tmp_path)
