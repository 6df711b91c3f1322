"""The index of a large store: the same answers as without it, whatever happens to it or beside it."""

import random

import pytest

from selfincorrect.errors import UserError
from selfincorrect.models import store as module
from selfincorrect.models.index import NAME, Index, open_index
from selfincorrect.models.store import ResponseStore, check


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(module, "INDEXED", 10)
    monkeypatch.setattr(module, "PART", 64)
    monkeypatch.setattr(module, "LINE", 16)


def filled(folder, *parts):
    for part in parts:
        writer = ResponseStore(folder)
        writer.add([(f"key {number}", {"text": f"answer {number}"}) for number in part])
        writer.close()


def all_of(store, count):
    return [store.get(f"key {number}") for number in range(count)] == [
        {"text": f"answer {number}"} for number in range(count)
    ]


def test_a_large_store_is_indexed_once_and_read_as_before(tmp_path):
    filled(tmp_path, range(300), range(300, 700))
    store = ResponseStore(tmp_path)
    assert (len(store), len(Index(tmp_path))) == (700, 700)
    assert all_of(store, 700)
    assert "key 700" not in store
    with pytest.raises(KeyError):
        store.get("key 700")
    with pytest.raises(KeyError):
        store.file_of("key 700")
    written = (tmp_path / NAME).stat().st_mtime_ns
    assert all_of(ResponseStore(tmp_path), 700)
    assert (tmp_path / NAME).stat().st_mtime_ns == written


def test_what_comes_later_stands_beside_the_index_until_it_is_much(tmp_path):
    filled(tmp_path, range(20))
    ResponseStore(tmp_path)
    filled(tmp_path, range(20, 25))
    assert len(Index(tmp_path)) == 20
    assert len(ResponseStore(tmp_path)) == 25
    assert all_of(ResponseStore(tmp_path), 25)
    filled(tmp_path, range(25, 60))
    assert all_of(ResponseStore(tmp_path), 60)
    assert len(Index(tmp_path)) == 60


def test_another_process_adds_to_an_indexed_store(tmp_path):
    filled(tmp_path, range(20))
    one, two = ResponseStore(tmp_path), ResponseStore(tmp_path)
    two.add([("key 20", {"text": "answer 20"})])
    assert "key 20" not in one
    assert one.refresh() == 0
    assert all_of(one, 21)


@pytest.mark.parametrize("seed", range(4))
def test_all_readers_take_the_same_answer_indexed_or_not(tmp_path, monkeypatch, seed):
    """Keys come several times, better and worse."""
    rng, plain = random.Random(seed), tmp_path / "plain"
    for _ in range(4):
        writer = ResponseStore(tmp_path, rank=lambda value: value % 3)
        writer.add([(f"key {rng.randrange(12)}", rng.randrange(9)) for _ in range(9)])
        writer.close()
    indexed = ResponseStore(tmp_path, rank=lambda value: value % 3)
    assert (tmp_path / NAME).exists()
    plain.mkdir()
    for path in tmp_path.glob("*.jsonl"):
        (plain / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "INDEXED", 1000)
    whole = ResponseStore(plain, rank=lambda value: value % 3)
    assert not (plain / NAME).exists()
    keys = [f"key {number}" for number in range(12)]
    assert [key in indexed and indexed.get(key) for key in keys] == [
        key in whole and whole.get(key) for key in keys
    ]
    assert len(indexed) == len(whole)


@pytest.mark.parametrize("how", ["cut", "empty", "other", "gone"])
def test_an_index_that_does_not_fit_is_made_again(tmp_path, how):
    filled(tmp_path, range(40))
    ResponseStore(tmp_path)
    path = tmp_path / NAME
    whole = path.read_bytes()
    if how == "gone":
        segment = next(tmp_path.glob("*.jsonl"))
        segment.rename(segment.with_name(f"{'0' * 32}.jsonl"))
    else:
        path.write_bytes({"cut": whole[:-5], "empty": b"", "other": b'{"format":0}\n'}[how])
    assert open_index(tmp_path) is None
    assert all_of(ResponseStore(tmp_path), 40)
    assert path.read_bytes()[-80:] == whole[-80:]


def test_damage_behind_an_index_is_found_when_it_is_read(tmp_path):
    filled(tmp_path, range(400))
    ResponseStore(tmp_path)
    [segment] = tmp_path.glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'answer 7"', b'answer 8"', 1))
    store = ResponseStore(tmp_path)
    assert store.get("key 8") == {"text": "answer 8"}
    with pytest.raises(UserError, match=r"damaged: .*, line 8: "):
        store.get("key 7")
    assert len(list(check(tmp_path, lambda value: None, drop=True))) == 1
    assert not (tmp_path / NAME).exists()
    mended = ResponseStore(tmp_path)
    assert "key 7" not in mended
    assert len(mended) == 399


def test_a_torn_last_line_is_read_once_it_is_whole(tmp_path):
    filled(tmp_path, range(20))
    ResponseStore(tmp_path)
    [segment] = tmp_path.glob("*.jsonl")
    filled(tmp_path / "other", range(20, 40))
    more = next((tmp_path / "other").glob("*.jsonl")).read_bytes()
    whole = segment.read_bytes()
    segment.write_bytes(whole + more[:-9])
    store = ResponseStore(tmp_path)
    assert len(store) == 39
    segment.write_bytes(whole + more)
    store.refresh()
    assert all_of(store, 40)
