"""Servers that ignore or reject what they are sent: found out, said once, and made up for where that can
be.
"""

import json

import pytest

from selfincorrect.engines.requests import Decoding
from tests.support.hosted import answers, asked, engine, fails, from_server, warnings
from tests.support.servers import forgets, raw, rejects


def test_server_that_ignores_n(server, caplog):
    server.ignores = {"n"}
    responses = answers(engine(server, concurrency=1), asked())
    assert [body.get("n") for body in server.bodies] == [None, None, 3] + [None] * 11
    seeds = [body["seed"] for body in server.bodies[2:]]
    assert sorted(seeds) == sorted(request.seed % 2**31 for request in asked())
    assert from_server(server, responses)
    assert warnings(caplog) == [
        "hosted: the server ignores n: every sample is asked for on its own, so its prompt is read, and "
        "paid, each time"
    ]


def test_server_that_gives_all_choices_one_seed(server, caplog):
    server.ignores = {"apart"}
    responses = answers(engine(server, concurrency=1), asked())
    assert len({response.text for response in responses}) > 6, "the copies are not taken for samples"
    assert len(server.bodies) == 2 + 12
    assert [line for line in warnings(caplog) if "one seed" in line] == warnings(caplog) != []


def test_easy_questions_are_no_reason_to_doubt_n(server, caplog):
    server.always = lambda handler, body: "Q: 0?" in body.get("prompt", "") and raw(
        json.dumps(
            {"choices": [{"text": "Paris", "logprobs": {"token_logprobs": [-0.1]}}] * body.get("n", 1)}
        )
    )(handler, body)  # fmt: skip
    responses = answers(engine(server, concurrency=1), asked())
    assert [response.text for response in responses[:3]] == ["Paris"] * 3
    assert [body.get("n", 1) for body in server.bodies[2:]] == [3, 1, 1, 3, 3, 3]
    assert warnings(caplog) == []


def test_a_choice_without_text_is_asked_for_again(server, caplog):
    server.faults = {2: forgets(1)}
    responses = answers(engine(server, concurrency=1), asked())
    assert all(response.text for response in responses)
    assert [body.get("n", 1) for body in server.bodies[2:]] == [3, 1, 3, 3, 3]
    assert warnings(caplog) == []


def test_server_that_ignores_seed(server, caplog):
    server.ignores = {"seed"}
    answers(engine(server), asked())
    assert warnings(caplog) == [
        "hosted: the server ignores seed: asking again from an empty store gives other answers; stored "
        "answers stay"
    ]


def test_server_that_ignores_temperature(server, caplog):
    server.always = lambda handler, body: body.update(temperature=0)
    answers(engine(server), asked(questions=6))
    assert len(warnings(caplog)) == 1
    assert "all samples of each of 6 questions are the same" in warnings(caplog)[0]


def test_server_without_logprobs(server, caplog):
    server.ignores = {"logprobs"}
    responses = answers(engine(server), asked())
    assert {response.logprob for response in responses} == {None}
    assert {response.tokens_out for response in responses} == {None}, "a share of the total would be invented"
    assert warnings(caplog) == ["hosted: the server ignores logprobs: answers have no log-probability"]
    answers(engine(server, logprobs=False), asked())
    assert "logprobs" not in server.bodies[-1]
    assert len(warnings(caplog)) == 1, "what was not asked for is not missed"


def test_server_that_ignores_stop(server):
    clean = answers(engine(server), asked())
    server.ignores = {"stop"}
    cut = answers(engine(server), asked())
    assert [r.text for r in cut] == [r.text for r in clean]
    assert {r.logprob for r in cut} == {-2.5}, "without the token of the stop string"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("logprobs", rejects("logprobs")),
        ("logprobs", rejects("logprobs", 422, "logprobs are not available here")),
        ("seed", rejects("seed", 422, "seed: extra fields not permitted")),
        ("n", rejects("n", message="Invalid value", param="n")),
        ("n", rejects("n", message="Only n = 1 is supported")),
        ("top_p", rejects("top_p")),
        ("stop", rejects("stop")),
        ("max_tokens", rejects("max_tokens", message="Use 'max_completion_tokens' instead of 'max_tokens'")),
    ],
)
def test_a_parameter_that_is_rejected_is_left_out(server, caplog, name, fault):
    server.always = fault
    responses = answers(engine(server, prompt="chat"), asked())
    assert from_server(server, responses)
    assert name not in server.bodies[-1]
    assert len(warnings(caplog)) == 1
    assert f"rejects {name}:" in warnings(caplog)[0]
    if name == "max_tokens":
        assert server.bodies[-1]["max_completion_tokens"] == 8


def test_a_parameter_that_matters_is_not_left_out(server):
    server.always = rejects("top_p")
    _, message = fails(engine(server), asked(decoding=Decoding(8, 0.7, 0.9, ())))
    assert "Unsupported parameter: 'top_p'" in message
    assert "model-1 takes plain prompts" in message
    server.always = rejects("max_tokens")
    _, message = fails(engine(server), asked())
    assert "Unsupported parameter: 'max_tokens'" in message
