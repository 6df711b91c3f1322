"""Calls by a server's batch API: the answers are those of single calls, whatever comes of some of them."""

import pytest

from selfincorrect.engines.openai import pending
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Request
from tests.support.batches import in_batches, sent, waits
from tests.support.hosted import GREEDY, KEY, answers, asked, engine, fails, warnings
from tests.support.servers import WORDS, rejects


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


def test_what_a_batch_may_hold(server, folder, monkeypatch):
    monkeypatch.setattr(pending, "LINES", 3)
    answers(in_batches(server, folder), asked(questions=7))
    assert [len(lines) for lines in server.lines] == [3, 3, 1]
    monkeypatch.setattr(pending, "CAME", 1)
    answers(in_batches(server, folder), asked(questions=2))
    assert [len(lines) for lines in server.lines[3:]] == [1, 1]
