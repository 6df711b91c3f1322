"""Calls by a server's batch API: the same answers, each paid once, whatever ends a job or a batch."""

import json

import pytest

from selfincorrect.engines.openai import pending
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Request
from tests.support.batches import BatchServer, lost
from tests.support.hosted import GREEDY, KEY, answers, asked, engine, fails, warnings
from tests.support.servers import WORDS, closes, echoes_key, raw, rejects, serving, status


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(pending, "POLL", 0.01)
    with serving(BatchServer) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pending"


def waits(folder):
    return sorted(folder.glob("*"))


def in_batches(server, folder, prompt="completion", **settings):
    return engine(server, prompt, batch=True, pending=folder, **settings)


def leave_waiting(server, folder, **asking):
    """Let a job end while its batch waits; at the next look the batch has ended."""
    server.looks, looks = 10**6, iter(range(20))
    assert list(in_batches(server, folder).answer(asked(**asking), lambda: next(looks) > 6)) == []
    server.looks = 1


def sent(server):
    """Every id of a call that was sent, as often as it was."""
    return [line["custom_id"] for lines in server.lines for line in lines]


@pytest.mark.parametrize("prompt", ["completion", "chat"])
@pytest.mark.parametrize("decoding", [GREEDY, None])
def test_answers_are_those_of_single_calls(server, folder, prompt, decoding):
    requests = asked(decoding=decoding) if decoding else asked()
    found = answers(in_batches(server, folder, prompt), requests)
    assert len(server.bodies) == 1, "one short call tells what the server does not take"
    assert len(server.batches) == 1
    assert len(sent(server)) == 4, "samples of a question are one call"
    assert found == answers(engine(server, prompt), requests)
    assert waits(folder) == []
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_probabilities_of_options(server, folder):
    options = tuple(f" {word}" for word in WORDS[:3])
    requests = [Request(Prompt("Answer.", (), f"Q: {i}?"), SCORED, None, options) for i in range(3)]
    found = answers(in_batches(server, folder), requests)
    assert len(server.bodies) == 1
    assert found == answers(engine(server), requests)
    assert all(None not in response.options for response in found)


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


def test_a_filtered_label_loses_no_other(server, folder):
    filtered = {"choices": [{"index": 0, "finish_reason": "content_filter", "text": None}]}
    server.line = lambda line: (
        {"status_code": 200, "body": filtered} if "0?" in line["body"]["prompt"] else None
    )
    requests = [Request(Prompt("Answer.", (), f"Q: {i}?"), SCORED, None, (" Oslo",)) for i in range(3)]
    found = answers(in_batches(server, folder), requests)
    assert [response.finish_reason for response in found] == ["filtered", "stop", "stop"]


def test_a_wrong_model_is_looked_up_once(server, folder):
    gone = {"status_code": 404, "body": {"error": {"message": "no such model"}}}
    server.line = lambda line: gone
    listed = []
    server.at["GET models"] = [lambda handler, body: listed.append(1) or False] * 9
    _, said = fails(in_batches(server, folder), asked())
    assert "Check the model's id there, model-1. It has: model-0" in said
    assert len(listed) == 1


def test_what_the_server_does_not_take_is_tried_before_labels_are_sent(server, folder, caplog):
    server.always = rejects("repetition_penalty")
    requests = [Request(Prompt("Answer.", (), f"Q: {i}?"), SCORED, None, (" Oslo",)) for i in range(3)]
    answers(in_batches(server, folder), requests)
    assert len(server.batches) == 1
    assert "repetition_penalty" not in server.lines[0][0]["body"]


def test_what_has_expired_is_asked_for_again(server, folder):
    server.ends = {0: "expired"}
    answers(in_batches(server, folder), asked())
    assert [len(lines) for lines in server.lines] == [4, 2]
    assert len(set(sent(server))) == 4


def test_what_goes_on_expiring_is_an_error_in_the_end(server, folder):
    server.ends = dict.fromkeys(range(9), "expired")
    found = answers(in_batches(server, folder, retries=1), asked(questions=2))
    reasons = [response.finish_reason for response in found]
    assert reasons.count("error") == 0, "half of two, then the other"
    found = answers(in_batches(server, folder, retries=0), asked(questions=2))
    assert [response.finish_reason for response in found].count("error") == 3
    assert "could not be executed in time" in next(each.said for each in found if each.said)


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
    looks = iter(range(200))

    def stop():
        if next(looks) == 60:
            server.queue = 9
        return False

    assert len([each for ready in in_batches(server, folder).answer(asked(), stop) for each in ready]) == 12
    assert waits(folder) == []


def test_a_queue_that_stays_full(server, folder, monkeypatch):
    monkeypatch.setattr(pending, "REFUSALS", 3)
    server.queue = 0
    _, said = fails(in_batches(server, folder), asked())
    assert "Enqueued token limit reached" in said


def test_parameters_that_the_server_does_not_take(server, folder, caplog):
    server.always = rejects("top_k")
    server.line = lambda line: ("min_p" in line["body"] and {
        "status_code": 400,
        "body": {"error": {"message": "Unsupported parameter: 'min_p'"}},
    }) or None  # fmt: skip
    answers(in_batches(server, folder), asked())
    assert ["top_k" in lines[0]["body"] for lines in server.lines] == [False, False]
    assert ["min_p" in lines[0]["body"] for lines in server.lines] == [True, False]
    assert len(warnings(caplog)) == 2


def test_servers_that_ignore_n_are_asked_for_each(server, folder, caplog):
    server.ignores = {"n"}
    found = answers(in_batches(server, folder), asked())
    assert [len(lines) for lines in server.lines] == [4, 8]
    assert len({response.text for response in found}) > 6
    assert len(warnings(caplog)) == 1


def test_easy_questions_are_no_reason_to_ask_again_where_others_differ(server, folder):
    easy = {"choices": [{"index": i, "text": "Paris"} for i in range(3)]}
    server.line = lambda line: (
        {"status_code": 200, "body": easy} if "Q: 0?" in line["body"]["prompt"] else None
    )
    answers(in_batches(server, folder, logprobs=False), asked())
    assert len(server.lines) == 1


def test_single_calls_that_fail(server, folder):
    told = {
        "Q: 0?": {"status_code": 400, "body": {"error": {"message": "x", "code": "content_filter"}}},
        "Q: 1?": {"status_code": 400, "body": {"error": {"message": "that makes no sense"}}},
        "Q: 2?": {"status_code": 500, "body": None},
    }
    server.line = lambda line: next(
        (each for name, each in told.items() if line["body"]["prompt"].count(name)), None
    )
    found = answers(in_batches(server, folder), asked())
    assert [response.finish_reason for response in found[::3]] == ["filtered", "error", "error", "stop"]
    assert "that makes no sense" in found[3].said
    assert [len(lines) for lines in server.lines] == [4, 1, 1], "what may pass is tried twice more"


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


def test_what_a_batch_may_hold(server, folder, monkeypatch):
    monkeypatch.setattr(pending, "LINES", 3)
    answers(in_batches(server, folder), asked(questions=7))
    assert [len(lines) for lines in server.lines] == [3, 3, 1]
    monkeypatch.setattr(pending, "CAME", 1)
    answers(in_batches(server, folder), asked(questions=2))
    assert [len(lines) for lines in server.lines[3:]] == [1, 1]
