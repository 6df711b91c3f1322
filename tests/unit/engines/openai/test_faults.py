"""The engine for servers against one with faults: no answer lost, none doubled, none invented, and no key
in any text.
"""

import random
import threading
import time
from email.utils import formatdate

import pytest

from selfincorrect.engines.openai import server as calls
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, Request
from selfincorrect.errors import UserError
from tests.support.hosted import (
    GREEDY,
    KEY,
    SAMPLED,
    answers,
    asked,
    engine,
    fails,
    from_server,
    misses,
    warnings,
)
from tests.support.servers import closes, echoes_key, half_a_body, hangs, long_prompts, raw, serving, status


def test_samples_come_in_one_call_and_all_is_sent(server, caplog):
    requests = asked()
    responses = answers(engine(server), requests)
    assert len(server.bodies) == 2 + 4, "a probe of two, a call for each question"
    assert all(body["max_tokens"] == 8 and "n" not in body for body in server.bodies[:2])
    body = next(body for body in server.bodies[2:] if body["prompt"].endswith("Q: 1?"))
    assert body == {
        "model": "model-1", "prompt": requests[3].prompt.text(), "max_tokens": 8, "temperature": 0.7,
        "top_p": 1.0,
        "stop": ["\n"], "seed": (2**62 + 1000) % 2**31, "logprobs": 1, "n": 3,
        "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "repeat_penalty": 1.0,
    }  # fmt: skip
    assert from_server(server, responses)
    assert len({response.text for response in responses}) > 6
    first = responses[0]
    assert (first.prompt, first.finish_reason, first.tokens_in, first.tokens_out) == (
        requests[0].prompt.text(),
        "stop",
        10,
        5,
    )
    assert first.logprob == -2.5
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert warnings(caplog) == []


def test_greedy_chat(server, caplog):
    requests = asked(decoding=GREEDY)
    chat = engine(server, prompt="chat")
    responses = answers(chat, requests)
    assert len(server.bodies) == 4, "nothing to probe"
    assert server.bodies[0]["messages"] in [request.prompt.messages() for request in requests]
    assert all("seed" not in body and "n" not in body and body["temperature"] == 0 for body in server.bodies)
    assert server.bodies[0]["logprobs"] is True
    assert all(response.text and response.logprob == -2.5 for response in responses)
    assert (chat.calls, chat.tokens_in, chat.tokens_out) == (4, 40, 20)


def test_no_key_of_another_server_is_sent(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    answers(engine(server, key=None), asked(decoding=GREEDY))
    assert all(KEY not in str(key) for key in server.keys)


@pytest.mark.parametrize(
    ("value", "words"), [(None, "SERVER_KEY is not set"), (" ", "not set"), ("sk-ключ", "no key has")]
)
def test_key_that_cannot_be(monkeypatch, value, words):
    monkeypatch.delenv("SERVER_KEY") if value is None else monkeypatch.setenv("SERVER_KEY", value)
    with pytest.raises(UserError, match=words) as caught:
        engine("http://127.0.0.1:9/v1")
    assert "ключ" not in str(caught.value)


FAULTS = {
    "busy": status(429, headers={"retry_after": "0"}),
    "busy until": status(429, headers={"retry_after": formatdate(time.time() - 5)}),
    "broken": status(500),
    "overloaded": status(503),
    "conflict": status(409),
    "hangs": hangs(1.5),
    "half a body": half_a_body,
    "closes": closes,
    "not JSON": raw("<html>gateway</html>"),
    "not an object": raw("[]"),
    "no choices": raw('{"choices": []}'),
    "an error in disguise": raw('{"error": {"message": "overloaded"}}'),
    "no text": raw('{"choices": [{"finish_reason": "stop"}]}'),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("numbers", [(0, 1), (2, 4, 5)])
def test_faults_that_pass_leave_no_trace(server, caplog, fault, numbers):
    clean = answers(engine(server), asked())
    with serving() as faulty:
        faulty.faults = dict.fromkeys(numbers, FAULTS[fault])
        assert answers(engine(faulty, timeout=0.7), asked()) == clean
        assert from_server(faulty, clean)
        assert len(faulty.bodies) == len(server.bodies) + len(numbers)
    assert warnings(caplog) == []


def test_many_faults_at_once_leave_no_trace(server):
    requests = asked(questions=30)
    clean = answers(engine(server), requests)
    rng = random.Random(1)
    quick = [fault for name, fault in FAULTS.items() if name != "hangs"]
    with serving() as faulty:
        faulty.faults = {number: rng.choice(quick) for number in range(100) if rng.random() < 0.3}
        assert answers(engine(faulty, retries=20, concurrency=8), requests) == clean


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_that_stay_are_the_reason_for_a_missing_answer(server, fault):
    server.always = FAULTS[fault]
    said = misses(engine(server, retries=1, timeout=0.1), asked(questions=2, decoding=GREEDY))
    assert "gives no answer (2 times)" in said


def test_one_question_ends_nothing(server):
    requests = asked(questions=8, decoding=GREEDY)
    server.always = lambda handler, body: (
        body["prompt"].endswith("Q: 1?") and status(400, "no such topic")(handler, body)
    )
    found = answers(engine(server), requests)
    assert [response.finish_reason for response in found] == ["stop", "error", *["stop"] * 6]
    assert "400 no such topic" in found[1].said
    assert "model-1 takes plain prompts" in found[1].said


def test_an_error_loses_nothing_that_is_under_way(server):
    requests = asked(questions=8, decoding=GREEDY)

    def the_account_is_used_up(handler, body):
        if body["prompt"].endswith("Q: 1?"):
            return status(402, "no money")(handler, body)
        time.sleep(0.3)
        return False

    server.always = the_account_is_used_up
    pairs, message = fails(engine(server), requests)
    assert {request.prompt.query for request, _ in pairs} == {"Q: 0?", "Q: 2?"}
    assert "2 of 8 answers" in message
    assert "402 no money" in message
    assert len(server.bodies) == 3, "what had not begun is not asked"
    server.always = None
    done = {id(request) for request, _ in pairs}
    assert len(answers(engine(server), [request for request in requests if id(request) not in done])) == 6


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_named_and_not_shown(server, caplog, code):
    server.always = echoes_key(code)
    pairs, message = fails(engine(server, concurrency=1), asked())
    assert pairs == []
    assert "SERVER_KEY" in message
    assert "bad key: Bearer [key]" in message
    assert len(server.bodies) == 1, "not repeated"
    assert KEY not in caplog.text


def test_the_key_is_in_no_other_message(server, caplog):
    for fault in (echoes_key(400), echoes_key(500), raw(f'{{"was": "{"x" * 480}{KEY}"}}')):
        server.always = fault
        said = misses(engine(server), asked(questions=1))
        assert "sk-planted" not in said + caplog.text


def test_a_model_that_is_not_there(server):
    server.always = status(404, "no such model")
    _, message = fails(engine(server), asked(decoding=GREEDY))
    assert "model-1" in message
    assert "It has: model-0, model-1" in message
    assert "model-9." in message


def test_nobody_there():
    with serving() as server:
        url = server.url
    assert "ConnectError" in misses(engine(url, retries=1), asked(questions=1))


def test_prompts_that_do_not_fit(server):
    server.always = long_prompts(
        100,
        "This model's maximum context length is 100 tokens. However, your messages resulted in LENGTH "
        "tokens.",
    )
    requests = asked()
    long = Request(Prompt("Answer.", (), "Q" * 200), SAMPLED, 1)
    *responses, last = answers(engine(server), [*requests, long])
    assert (last.text, last.finish_reason, last.tokens_in, last.tokens_out, last.logprob) == (
        None,
        CONTEXT,
        209,
        0,
        None,
    )
    assert all(response.finish_reason == "stop" for response in responses)


def test_pace_counts_repetitions(server, monkeypatch):
    turns = []
    monkeypatch.setattr(calls, "pause", lambda seconds, stop: turns.append(seconds))
    server.faults = {1: status(500)}
    answers(engine(server, requests_per_minute=60, concurrency=1), asked(questions=5, decoding=GREEDY))
    waits = [seconds for seconds in turns if seconds > 0.5]
    assert len(server.bodies) == 6
    assert waits == pytest.approx([1, 2, 3, 4, 5], abs=0.5), "calls are a second apart"


def test_retry_after_holds_every_thread(server):
    server.faults = {0: status(429, headers={"retry_after": "0.5"})}
    start = time.monotonic()
    answers(engine(server), asked(decoding=GREEDY))
    assert 0.5 <= time.monotonic() - start < 3


@pytest.mark.parametrize(
    "fault", [status(429, headers={"retry_after": "86400"}), status(429, code="insufficient_quota")]
)
def test_what_waiting_does_not_mend_is_not_waited_for(server, fault):
    server.always = fault
    _, message = fails(engine(server, concurrency=1), asked(decoding=GREEDY))
    assert len(server.bodies) == 1
    assert "429 no luck" in message


def test_a_consumer_that_leaves_is_not_held(server):
    server.always = lambda handler, body: (
        "Q: 0?" not in body["prompt"] and status(503, headers={"retry_after": "60"})(handler, body)
    )
    before = threading.active_count()
    generator = engine(server).answer(asked(questions=20, decoding=GREEDY))
    assert len(next(generator)) == 1
    start = time.monotonic()
    generator.close()
    assert time.monotonic() - start < 0.5
    asked_then = len(server.bodies)
    deadline = time.monotonic() + 5
    while (
        any(thread.name.startswith("server_") for thread in threading.enumerate())
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    assert threading.active_count() <= before + 4, (
        "waiting threads ended; the server's own connections may linger"
    )
    assert not any(thread.name.startswith("server_") for thread in threading.enumerate())
    assert len(server.bodies) <= asked_then + 3


def test_the_same_engine_again(server):
    again = engine(server)
    assert answers(again, asked()) == answers(again, asked())
    assert len(server.bodies) == 2 + 4 + 4, "probed once"
    assert list(again.answer([])) == []
