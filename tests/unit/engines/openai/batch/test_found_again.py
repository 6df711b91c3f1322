"""Batches of jobs that ended: found again, and never paid twice unasked."""

import json

import pytest

from selfincorrect.engines.openai import pending
from tests.support.batches import BatchServer, in_batches, leave_waiting, lost, waits
from tests.support.hosted import KEY, answers, asked, fails, warnings
from tests.support.servers import raw, serving, status


def test_a_job_that_ends_finds_its_batch_again(server, folder):
    leave_waiting(server, folder)
    assert len(waits(folder)) == len(server.batches) == 1
    assert KEY not in waits(folder)[0].read_text()
    found = answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1, "nothing is sent twice"
    assert len({response.text for response in found}) > 6
    assert waits(folder) == []


def test_a_job_that_wants_more_sends_only_that(server, folder):
    leave_waiting(server, folder, questions=2)
    answers(in_batches(server, folder), asked(questions=4))
    assert [len(lines) for lines in server.lines] == [2, 2]
    assert waits(folder) == []


def test_what_came_is_there_until_it_is_stored(server, folder):
    found = in_batches(server, folder).answer(asked())
    first = next(found)
    assert len(first) == 12
    assert len(waits(folder)) == 1, "a job that is killed here reads it again"
    assert list(found) == []
    assert waits(folder) == []


def test_two_batches_with_the_same_calls_answer_once(server, folder):
    leave_waiting(server, folder, questions=2)
    path = waits(folder)[0]
    first = path.read_text()
    path.unlink()
    leave_waiting(server, folder, questions=3)
    path.write_text(first)
    answers(in_batches(server, folder), asked(questions=3))
    assert [len(lines) for lines in server.lines] == [2, 3]
    assert waits(folder) == []


def test_batches_of_another_server_are_left_alone(server, folder):
    leave_waiting(server, folder)
    with serving(BatchServer) as other:
        answers(in_batches(other, folder), asked())
        assert len(other.batches) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_job_that_ends_while_it_sends(server, folder, known):
    leave_waiting(server, folder)
    path = waits(folder)[0]
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "id": None}))
    if not known:
        server.batches[0]["metadata"] = {}
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == (1 if known else 2)


def test_a_batch_whose_reply_is_lost_is_not_sent_again(server, folder):
    server.at["POST batches"] = [lost]
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1


def test_a_batch_that_the_server_forgot_is_sent_again(server, folder, caplog):
    leave_waiting(server, folder)
    server.batches[0]["id"] = "another"
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 2
    assert "does not know the batch batch_0 of an earlier job" in warnings(caplog)[0]


def test_a_batch_that_the_server_took_and_does_not_know_is_not_paid_again(server, folder):
    server.at["GET batches"] = [status(404)] * pending.UNKNOWN
    _, said = fails(in_batches(server, folder), asked())
    assert "does not know the batch batch_0, which it took" in said
    assert str(waits(folder)[0]) in said
    assert len(server.batches) == 1
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1, "it is known again"


def test_a_server_that_knows_a_new_batch_a_little_later(server, folder):
    server.at["GET batches"] = [status(404)] * 2
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1


def test_files_that_are_gone_are_asked_for_again(server, folder, caplog):
    leave_waiting(server, folder)
    server.at["GET files"] = [status(404)] * pending.UNKNOWN
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 2
    assert "or what came of it" in warnings(caplog)[0]


@pytest.mark.parametrize("content", ["<html>", "", '{"custom_id": "another", "response": null}'])
def test_a_batch_of_which_nothing_can_be_read_is_not_paid_again(server, folder, content):
    server.at["GET files"] = [raw(content)]
    _, said = fails(in_batches(server, folder), asked())
    assert "nothing can be read of what came of the batch batch_0" in said
    assert len(waits(folder)) == len(server.batches) == 1
    answers(in_batches(server, folder), asked())
    assert len(server.batches) == 1


def test_what_is_asked_one_by_one_is_found_again(server, folder):
    """The first batch has all choices of a call alike, so the others are asked for one by one."""
    server.ignores = {"apart"}
    server.looks = 1
    looks = iter(range(100))

    def stop():
        if len(server.batches) == 2:
            server.looks = 10**6
        return len(server.batches) == 2 and next(looks) > 3

    first = [each for ready in in_batches(server, folder).answer(asked(questions=2), stop) for each in ready]
    assert len(first) == 2
    missing = [r for r in asked(questions=2) if r.seed not in {each.seed for each, _ in first}]
    server.looks = 1
    answers(in_batches(server, folder), missing)
    assert [len(lines) for lines in server.lines] == [2, 4]
    assert waits(folder) == []


def test_more_samples_than_wait(server, folder):
    leave_waiting(server, folder, questions=1, samples=2)
    answers(in_batches(server, folder), asked(questions=1, samples=5))
    assert [[line["body"].get("n", 1) for line in lines] for lines in server.lines] == [[2], [3]]
