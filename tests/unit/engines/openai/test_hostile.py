"""The engine for servers against hostile ones: nothing unchecked is kept, nothing waits for ever, no key
gets around.
"""

import base64
import json
import time
from urllib.parse import quote

import pytest

from selfincorrect.engines.openai import calls
from selfincorrect.engines.requests import stored_response
from selfincorrect.errors import UserError
from tests.support.hosted import GREEDY, KEY, answers, asked, engine, fails, misses, warnings
from tests.support.servers import raw, rejects, serving, status


def drip(handler, body):
    """One byte at a time, for ever, so that no single read takes long."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)
    handler.close_connection = True
    return True


def drip_headers(handler, body):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    return drip_raw(handler)


def drip_early_hints(handler, body):
    for _ in range(100):
        handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.05)
    handler.close_connection = True
    return True


def drip_raw(handler):
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)
    handler.close_connection = True
    return True


def drip_name_of_gzip(handler, body):
    """A compressed body whose file name never ends: nothing of it can be unpacked."""
    handler.send_response(200)
    handler.send_header("content-encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(b"\x1f\x8b\x08\x08" + bytes(6))
    return drip_raw(handler)


@pytest.mark.parametrize("slow", [drip, drip_headers, drip_early_hints, drip_name_of_gzip])
def test_a_call_is_lost_after_its_time_however_it_drips(server, slow):
    server.always = slow
    start = time.monotonic()
    assert "no whole reply in 0.4 s" in misses(
        engine(server, timeout=0.4, retries=0), asked(questions=1, decoding=GREEDY)
    )
    assert time.monotonic() - start < 3


def test_a_reply_without_end_is_given_up(server, monkeypatch):
    monkeypatch.setattr(calls, "LARGEST_BODY", 2**20)
    server.always = raw(" " * 2**21)
    assert "a reply of more than 1 MiB" in misses(
        engine(server, retries=0), asked(questions=1, decoding=GREEDY)
    )


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_neither_key_nor_prompt_goes_along(server, code):
    with serving() as stranger:
        server.always = status(code, headers={"location": f"{stranger.url}/completions"})
        _, message = fails(engine(server), asked(decoding=GREEDY))
        assert "not followed" in message
        assert stranger.bodies == []


def test_a_socks_proxy_is_one_message(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setattr("builtins.__import__", _without("socksio", __import__))
    with pytest.raises(UserError, match="hosted: the proxy that the environment names cannot be used"):
        engine("http://127.0.0.1:9/v1")


def _without(package, real):
    def imported(name, *more, **named):
        if name.partition(".")[0] == package:
            raise ImportError(f"no {package}")
        return real(name, *more, **named)

    return imported


def test_headers_of_other_programs_are_not_sent(server, monkeypatch):
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"Authorization: Bearer {KEY}-other\nX-Mine: 1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    seen = []
    server.always = lambda handler, body: seen.append(dict(handler.headers))
    answers(engine(server), asked(questions=1, decoding=GREEDY))
    told = str(seen)
    assert f"Bearer {KEY}'" in told
    assert not any(word in told for word in ("other", "X-Mine", "org-1", "proj-1"))


WAYS = [
    KEY, f"Bearer {KEY}", quote(f"{KEY}", safe=""), base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(f"Bearer {KEY}".encode()).decode(),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_or_error_that_repeats_the_key_is_kept_without_it(server, caplog, way):
    said = {
        "choices": [{"text": f"it is {way}", "finish_reason": "stop"}],
        "model": f"m-{way}",
        "system_fingerprint": way,
    }
    server.always = raw(json.dumps(said))
    [response] = answers(engine(server), asked(questions=1, decoding=GREEDY))
    assert response.text.startswith("it is ")
    assert "[key]" in response.text
    server.always = status(400, f"bad {way}")
    error = misses(engine(server), asked(questions=1, decoding=GREEDY))
    for text in (str(response), error, caplog.text):
        assert way not in text
        assert KEY not in text


@pytest.mark.parametrize("key", ["none", "1", "EMPTY"])
def test_a_placeholder_for_a_key_leaves_answers_as_they_are(server, monkeypatch, key):
    monkeypatch.setenv("HOSTED_KEY", key)
    server.key = key
    said = f"{key} of them: 115 nonetheless"
    server.always = raw(json.dumps({"choices": [{"text": said, "finish_reason": "stop"}]}))
    assert answers(engine(server), asked(questions=1, decoding=GREEDY))[0].text == said


def test_what_a_server_calls_itself_is_cut_after_the_key_was_taken_out(server):
    said = {"choices": [{"text": "a"}], "model": "m" * 190 + KEY, "system_fingerprint": "f" * 195 + KEY}
    server.always = raw(json.dumps(said))
    [response] = answers(engine(server), asked(questions=1, decoding=GREEDY))
    assert response.model == "m" * 190 + "[key]"
    assert KEY[:4] not in response.fingerprint


def test_a_list_of_models_that_repeats_the_key_is_shown_without_it(server, monkeypatch):
    server.always = status(404, "no such model")
    monkeypatch.setattr(
        server.RequestHandlerClass,
        "do_GET",
        lambda handler: handler.reply(200, {"data": [{"id": handler.headers["authorization"]}]}),
    )
    _, message = fails(engine(server), asked(decoding=GREEDY))
    assert "Bearer [key]" in message


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 3 * 10**9},
        {"completion_tokens": -(10**6)},
        {"prompt_tokens": True},
        {"prompt_tokens": 10**30},
    ],
)
def test_what_makes_no_sense_is_empty_and_said_once(server, caplog, usage):
    server.always = raw(
        json.dumps(
            {"choices": [{"text": "Par\ud800is", "logprobs": {"token_logprobs": [1000]}}], "usage": usage}
        )
    )
    found = answers(engine(server), asked(decoding=GREEDY))
    assert {(r.text, r.tokens_in, r.tokens_out, r.logprob) for r in found} == {("Par\ufffdis", None, 1, None)}
    assert sum("make no sense" in each for each in warnings(caplog)) == 1
    for response in found:
        assert stored_response(json.loads(json.dumps(response.record()))) == response


def test_a_servers_context_is_not_ours(server):
    server.always = raw(json.dumps({"choices": [{"text": "Paris", "finish_reason": "context"}]}))
    assert {(r.text, r.finish_reason) for r in answers(engine(server), asked(decoding=GREEDY))} == {
        ("Paris", "stop")
    }


def test_neutral_settings_that_a_server_refuses_are_named_with_what_follows(server, caplog):
    server.always = rejects(
        "top_k", message="Unrecognized request arguments supplied: top_k, min_p, repetition_penalty"
    )
    answers(engine(server), asked())
    assert {"top_k", "min_p", "repetition_penalty"}.isdisjoint(server.bodies[-1])
    assert server.bodies[-1]["repeat_penalty"] == 1.0
    told = " ".join(warnings(caplog))
    assert "rejects top_k: if it has settings of its own that cut unlikely tokens" in told
    assert "rejects repetition_penalty: if it punishes repetitions" in told


def test_more_of_a_body_is_sent_as_it_is(server):
    more = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}, "top_k": 7}
    answers(engine(server, body=more), asked())
    assert all(body | more == body for body in server.bodies)


@pytest.mark.parametrize(
    ("body", "always"),
    [
        ({"top_k": 20}, rejects("top_k", message="top_k is not supported")),
        ({"seed": 1}, rejects("seed", message="Unsupported parameter: 'seed'")),
    ],
)
def test_what_a_user_wants_sent_is_not_left_out_and_a_server_that_refuses_it_ends_the_run(
    server, body, always
):
    server.always = always
    _, message = fails(engine(server, body=body), asked(decoding=GREEDY))
    assert "`server.body`" in message


def test_stop_strings_of_a_user_that_cut_thoughts_are_no_reason_to_ask_again(server):
    server.always = raw(json.dumps({"choices": [{"text": "<think>hm", "finish_reason": "stop"}]}))
    asked_for = asked(questions=1, decoding=GREEDY)
    assert answers(engine(server, body={"stop": ["</answer>"]}), asked_for)[0].text == "<think>hm"
    assert len(server.bodies) == 1


def test_a_firewall_that_refuses_one_text_ends_no_run(server):
    def walled(handler, body):
        if len(server.bodies) == 3:
            handler.reply(403, "<html>Blocked by our firewall</html>")
            return True

    server.always = walled
    found = answers(engine(server, concurrency=1), asked(questions=5, decoding=GREEDY))
    assert [response.finish_reason for response in found].count("error") == 1


def test_a_server_that_cuts_thoughts_at_stop_strings_is_asked_without_them(server, caplog):
    def thinks(handler, body):
        text = "<think>" if "stop" in body else "<think>\nhm\n</think>\nParis\nQ: more"
        handler.reply(200, {"choices": [{"text": text, "finish_reason": "stop"}]})
        return True

    server.always = thinks
    found = answers(engine(server), asked(decoding=GREEDY))
    assert {response.text for response in found} == {"<think>\nhm\n</think>\nParis"}
    assert "cuts thoughts at stop" in " ".join(warnings(caplog))


def test_only_the_sample_that_a_seed_drew_has_it(server):
    found = answers(engine(server), asked(questions=2))
    assert sum(response.seeded for response in found) == 2
    server.ignores = {"n"}
    assert all(response.seeded for response in answers(engine(server), asked(questions=2)))


def test_what_a_server_calls_itself_is_kept_and_a_change_is_said(server, caplog):
    numbers = iter(range(100))

    def named(handler, body):
        choice = {"text": f" {next(numbers)}", "finish_reason": "stop"}
        name = "model-1" if len(server.bodies) < 3 else "model-2"
        handler.reply(200, {"choices": [choice], "model": name, "system_fingerprint": "fp"})
        return True

    server.always = named
    found = answers(engine(server, concurrency=1), asked(decoding=GREEDY))
    assert [response.model for response in found] == ["model-1", "model-1", "model-2", "model-2"]
    assert {response.fingerprint for response in found} == {"fp"}
    assert [each for each in warnings(caplog) if "changed" in each] == [
        "hosted: the server has changed: answers come from model-2, earlier ones from ['model-1']"
    ]
