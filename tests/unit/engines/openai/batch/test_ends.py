"""How batches end, and servers that have none, are away, or say strange things of them."""

import json

import pytest

from selfincorrect.engines.openai import pending
from tests.support.batches import in_batches, waits
from tests.support.hosted import KEY, answers, asked, fails, warnings
from tests.support.servers import closes, echoes_key, raw, status


@pytest.mark.parametrize("told", [{"output_file_id": "files/abc"}, {"status": "weird"}, {"status": None}])
def test_states_that_cannot_be_read_end_the_waiting(server, folder, told):
    look = server.look
    server.look = lambda number: {**look(number), **told}
    _, said = fails(in_batches(server, folder), asked())
    assert "where its batch API should be" in said
    assert len(server.batches) == 1


def test_states_in_other_spellings_and_with_other_numbers(server, folder):
    look = server.look

    def strange(number):
        told = look(number)
        counts = {"total": "x", "completed": 10**30, "failed": None}
        return {**told, "status": told["status"].upper(), "request_counts": counts}

    server.look = strange
    answers(in_batches(server, folder), asked())


def test_a_batch_named_like_the_key(server, folder, caplog):
    server.at["POST batches"] = [raw(json.dumps({"id": KEY}))]
    fails(in_batches(server, folder), asked())
    assert KEY not in waits(folder)[0].read_text()
    assert not warnings(caplog)


def test_lines_that_say_nothing_of_a_call(server, folder):
    keep = server.keep
    strange = [
        b"",
        b"{",
        b"[1]",
        b'{"custom_id": 7}',
        b'{"custom_id": "../x", "response": {"status_code": 200}}',
        b"\xff\xfe",
        b'{"custom_id": ' + b"[" * 10**5,
    ]
    server.keep = lambda data: keep(b"\n".join([*strange, data]) if b"batch_req" in data else data)
    found = answers(in_batches(server, folder), asked())
    assert all(response.text for response in found)
    assert len(server.batches) == 1


@pytest.mark.parametrize("told", [{"id": "../../etc"}, {"id": 7}, {"id": "a/b"}, [], "x", None])
@pytest.mark.parametrize("where", ["POST files", "POST batches"])
def test_ids_that_are_none(server, folder, told, where):
    server.at[where] = [raw(json.dumps(told))]
    _, said = fails(in_batches(server, folder), asked())
    assert "take `batch: true` out" in said.lower()


def test_a_server_without_a_batch_api(server, folder):
    server.at["POST files"] = [status(404, "Not found")]
    _, said = fails(in_batches(server, folder), asked())
    assert "404 Not found where its batch API should be" in said
    assert "Take `batch: true` out of the model's `server`" in said


def test_a_wrong_key_is_told_at_once(server, folder):
    server.always = echoes_key(401)
    _, said = fails(in_batches(server, folder), asked())
    assert "the key in the environment variable SERVER_KEY" in said
    assert not server.batches


def test_servers_that_are_away_for_a_while(server, folder):
    server.at["POST files"] = [closes, status(503)]
    server.at["GET batches"] = [status(502)] * 8
    server.at["GET files"] = [status(429, headers={"retry_after": "0"})]
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1


def test_a_batch_that_is_cancelled_keeps_what_came(server, folder):
    server.ends = {0: "cancelled"}
    pairs, said = fails(in_batches(server, folder), asked())
    assert len(pairs) == 6
    assert "the batch batch_0 was cancelled at the server" in said
    assert "6 of 12 answers came and are kept" in said
    assert waits(folder) == []


def test_a_batch_that_is_not_taken(server, folder):
    server.ends, server.problem = {0: "failed"}, {"code": "model_not_found", "message": "No such model."}
    pairs, said = fails(in_batches(server, folder), asked())
    assert not pairs
    assert "did not take a batch: model_not_found: No such model." in said
    assert waits(folder) == []


def test_a_full_queue_is_met_with_smaller_batches(server, folder):
    server.queue = 1
    answers(in_batches(server, folder), asked())
    assert sorted(len(lines) for lines in server.lines)[-1] == 4
    done = [len(lines) for lines, batch in zip(server.lines, server.batches, strict=True)
            if batch["status"] == "completed"]  # fmt: skip
    assert done == [1, 1, 1, 1]


def test_a_queue_that_others_have_filled_is_waited_for(server, folder):
    server.queue = 0
    looks = iter(range(1000))

    def stop():
        if next(looks) == 8:
            server.queue = 9
        return False

    assert len([each for ready in in_batches(server, folder).answer(asked(), stop) for each in ready]) == 12
    assert waits(folder) == []


def test_a_queue_that_stays_full(server, folder, monkeypatch):
    monkeypatch.setattr(pending, "REFUSALS", 3)
    server.queue = 0
    _, said = fails(in_batches(server, folder), asked())
    assert "Enqueued token limit reached" in said


def test_an_account_that_has_nothing_left(server, folder):
    server.at["POST batches"] = [status(429, "You exceeded your current quota", code="insufficient_quota")]
    _, said = fails(in_batches(server, folder), asked())
    assert "exceeded your current quota" in said
    assert "batch: true" not in said
