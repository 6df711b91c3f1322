"""How probable options are, as servers tell it: a list of the first token's alternatives."""

import json
import math

import pytest

from selfincorrect.discriminate.label_scores import spelled
from selfincorrect.engines.openai.options import ONE_TOKEN, TOP, scored
from selfincorrect.engines.openai.replies import read_reply
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Request
from selfincorrect.errors import UserError
from tests.support.hosted import answers, engine
from tests.support.servers import rejects

PROMPT = Prompt("", (), "Which is best?")
ONE, TWO = math.log(0.5), math.log(0.25)
CHAT = [{"token": "2", "logprob": ONE, "bytes": [50]}, {"token": " 1", "logprob": TWO}]


def asked(*options, ended=()):
    return Request(PROMPT, SCORED, None, options, ended)


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        ({"content": [{"token": "2", "logprob": ONE, "top_logprobs": CHAT}]}, {b"2": ONE, b" 1": TWO}),
        ({"top_logprobs": [{"2": ONE, " 1": TWO}], "tokens": ["2"]}, {b"2": ONE, b" 1": TWO}),
        ({"top_logprobs": [CHAT]}, {b"2": ONE, b" 1": TWO}),
        ({"content": [{"token": "2", "logprob": ONE}]}, {}),
        ({"content": [], "top_logprobs": []}, {}),
        ({"content": [{"top_logprobs": [{"token": "2", "logprob": "x"}, 7, {"logprob": -1}]}]}, {}),
        ({"content": [{"top_logprobs": [{"token": "2", "logprob": 3.0}, CHAT[1]]}]}, {b" 1": TWO}),
        ({"content": [{"top_logprobs": "2"}]}, {}),
        (None, {}),
        (["2"], {}),
    ],
)
def test_lists_of_alternatives_are_read_in_every_form(logprobs, expected):
    choice = {"message": {"content": "2"}, "finish_reason": "length", "logprobs": logprobs}
    reply = read_reply(json.dumps({"choices": [choice]}).encode(), ONE_TOKEN)
    assert reply.answers[0].top == expected


def test_what_is_not_listed_has_a_bound():
    top = {b"2": ONE, b" 1": TWO}
    assert scored(asked("2", " 1", "3"), top) == ((ONE, TWO, None), TWO)
    many = {**top, b"4": math.log(0.2)}  # what is left over is less than the last that is listed
    known, bound = scored(asked("2", "3"), many)
    assert (known, bound) == ((ONE, None), pytest.approx(math.log(0.05)))
    assert scored(asked("3"), {b"2": 0.0})[1] < -1e5


def test_a_label_that_begins_another_is_known_beside_it_alone():
    ended = ("1", "10")
    assert scored(asked("1", "10", "2", ended=ended), {b"1": ONE, b"10": TWO, b"2": -5.0})[0] == (
        ONE,
        TWO,
        -5.0,
    )
    known, bound = scored(asked("1", "10", "2", ended=ended), {b"1": ONE, b"2": -5.0})
    assert known == (None, None, -5.0)
    assert bound == ONE


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_options_are_asked_for_by_one_token(server, mode):
    made = engine(server.url, mode)
    [response] = answers(made, [asked(" Paris", " Lyon")])
    [body] = server.bodies
    assert (body["max_tokens"], body["temperature"]) == (1, 1.0)
    assert (body["logprobs"], body.get("top_logprobs")) == ((True, TOP) if mode == "chat" else (TOP, None))
    assert (response.text, response.finish_reason, response.tokens_out) == ("", "stop", 1)
    assert response.options[0] == pytest.approx(math.log(1 / 9))
    assert response.options[1] is None
    assert response.bound <= math.log(1 / 9)


def test_a_server_that_tells_none_is_refused(server):
    server.ignores.add("logprobs")
    with pytest.raises(UserError, match="does not tell how probable first tokens are"):
        answers(engine(server.url, "chat"), [asked("1", "2")])


def test_what_begins_an_option_bounds_it_where_tokens_were_asked_for_by_number():
    top = {b"2": ONE, b"1": -20.0, b" (": -9.0, b" ": -7.0}
    assert scored(asked("2", " (2", ended=()), top, by_number=True) == ((ONE, None), -7.0)
    assert scored(asked("2", "(2"), top, by_number=True)[1] == pytest.approx(math.log(0.5), abs=0.01)


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_labels_are_asked_for_by_number_where_the_server_can(server, mode, caplog):
    server.tokenizes = True
    # The first of four that are listed, one that is not, and one of two tokens, of which the first is not.
    labels = (" Paris", " Cairo", " Minsk again")
    [response] = answers(engine(server.url, mode), [asked(*labels)])
    assert server.bodies[0]["logprob_token_ids"] == [0, 5, 7]
    assert response.options == (*[pytest.approx(math.log(1 / 9))] * 2, None)
    assert response.bound == pytest.approx(math.log(1 / 9))
    server.ignores = {"ids"}
    [response] = answers(engine(server.url, mode), [asked(*labels)])
    assert response.options == (pytest.approx(math.log(1 / 9)), None, None)
    server.ignores = set()
    server.always = rejects("logprob_token_ids", message="loc: ('body', 'logprob_token_ids') Extra inputs")
    [response] = answers(engine(server.url, mode), [asked(*labels)])
    assert response.options == (pytest.approx(math.log(1 / 9)), None, None)
    assert response.bound == pytest.approx(math.log(1 / 9)), "no more than the last one of the list"
    assert "the server rejects logprob_token_ids" in caplog.text


def test_the_labels_of_prompts_are_asked_for_by_number(server):
    """Each label in its four spellings, of which those in parentheses are two tokens."""
    server.tokenizes = True
    answers(engine(server.url), [asked(*spelled(("A", "B")))])
    assert len(server.bodies[0]["logprob_token_ids"]) == 8


@pytest.mark.parametrize("tokenizes", [False, True])
def test_too_many_labels_are_looked_for_in_the_list(server, tokenizes):
    server.tokenizes = tokenizes
    answers(engine(server.url), [asked(*(f" {i}" for i in range(200)))])
    assert "logprob_token_ids" not in server.bodies[0]
