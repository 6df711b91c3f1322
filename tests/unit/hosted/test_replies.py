"""What a server's replies and errors say, read."""

import json

import pytest

from selfincorrect.engines import Decoding
from selfincorrect.engines.openai.replies import Reply, Trouble, message_of, read_reply, too_long

SAMPLED = Decoding(8, 0.7, 1.0, ("\n",))


@pytest.mark.parametrize(
    ("message", "body", "tokens"),
    [
        ("boom", {"code": "context_length_exceeded"}, 0),
        ("maximum context length is 4096 tokens, you requested 5000 tokens (4900 in the messages, 100 in the completion)", {}, 4900),
        ("max_tokens is too large: 50. The model's context length is 100 and your request has 90 input tokens", {}, 90),
        ("the request exceeds the available context size", {"type": "exceed_context_size_error", "n_prompt_tokens": 321}, 321),
        ("`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3000 `inputs` tokens and 20 `max_new_tokens`", {}, 3000),
        ("prompt is too long: 210000 tokens > 200000 maximum", {}, 210000),
        ("max_tokens is too large: 5000. This model supports at most 4096 completion tokens", {}, None),
        ("unknown model", {}, None),
    ],
)  # fmt: skip
def test_ways_to_say_that_a_prompt_does_not_fit(message, body, tokens):
    found = too_long(Trouble(400, message, body))
    assert (found and found.tokens_in) == tokens


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"text": "a", "finish_reason": "eos_token"}, ("a", "stop", 7, None)),
        ({"text": "a", "finish_reason": "max_tokens"}, ("a", "length", 7, None)),
        ({"message": {"content": None}, "finish_reason": "content_filter"}, ("", "content_filter", 7, None)),
        ({"message": {"content": None}, "finish_reason": "length"}, ("", "length", 7, None)),
        ({"text": "a", "logprobs": {"content": [{"token": "a", "logprob": -1}]}}, ("a", "stop", 7, -1.0)),
        ({"text": "a", "logprobs": {"token_logprobs": [None, -1.0]}}, ("a", "stop", 7, None)),
        ({"text": "a", "logprobs": {"token_logprobs": [float("-inf")]}}, ("a", "stop", 7, None)),
        (
            {"text": "a\nb", "logprobs": {"token_logprobs": [-1.0, -1.0]}, "finish_reason": "length"},
            ("a", "stop", 7, None),
        ),
    ],
)
def test_one_choice(choice, expected):
    reply = read_reply(json.dumps({"choices": [choice], "usage": {"completion_tokens": 7}}), SAMPLED)
    assert isinstance(reply, Reply)
    answer = reply.answers[0]
    assert (answer.text, answer.finish_reason, answer.tokens_out, answer.logprob) == expected
    assert reply.tokens_in is None


@pytest.mark.parametrize(
    ("body", "words"),
    [("plain", "plain"), ({"detail": "why"}, "why"), ({"error": {"message": "why"}}, "why"), ({"x": 1}, '{"x": 1}')],
)
def test_words_of_an_error(body, words):
    assert message_of(body) == words
