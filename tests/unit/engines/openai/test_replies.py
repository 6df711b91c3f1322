"""What a server's replies say, read."""

import json

import pytest

from selfincorrect.engines.openai.replies import Reply, read_reply
from selfincorrect.engines.requests import Decoding

SAMPLED = Decoding(8, 0.7, 1.0, ("\n",))


@pytest.mark.parametrize(
    ("tokens", "text", "reasoning", "expected"),
    [
        ([("<think>", -0.1), ("hm", -1), ("</think>", -1), ("\n\n", -4), ("Par", -0.5), ("is", -0.25)],
        "Paris", "hm", -0.75),
        ([("hm", -1), ("Paris", -0.5)], "Rome", "hm", None),
        ([("hm", -1)], None, "hm", None),
        ([(b"\xf0\x9f\x91", -1), (b"\x8d", -1), (" Paris", -1)], "👍 Paris", None, -3.0),
        ([("bytes:\\xe9\\xb7", -1), ("bytes:\\xaf", -1)], "鷯", None, -2.0),
        ([("token_id:12", -1), ("token_id:7", -1)], "Paris", None, -2.0),
        ([("Paris", -1), ("\n\n", -4)], "Paris\n\n", None, -5.0),
        ([("Paris", -1), ("\n", -4)], "Paris", None, -1.0),
        ([("Paris", -1), ("Q", -1), (":", -1)], "Paris", None, -1.0),
    ],
)  # fmt: skip
def test_the_log_probability_is_that_of_the_text(tokens, text, reasoning, expected):
    content = [
        {"token": piece if isinstance(piece, str) else "?", "bytes": list(piece) if isinstance(piece,
        bytes) else None, "logprob": value}
        for piece, value in tokens
    ]  # fmt: skip
    choice = {"message": {"content": text, "reasoning_content": reasoning}, "logprobs": {"content": content}}
    choice["finish_reason"] = "length" if text is None else "stop"
    data = json.dumps({"choices": [choice]}).encode()
    assert read_reply(data, Decoding(8, 0.7, 1.0, ())).answers[0].logprob == expected


@pytest.mark.parametrize(
    ("usage", "paid"),
    [
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 359}, 327),
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 41}, 9),
        ({"completion_tokens": 9, "total_tokens": 41}, 9),
        ({}, None),
    ],
)
def test_thoughts_that_a_server_leaves_out_of_the_completion_are_counted(usage, paid):
    reply = read_reply(json.dumps({"choices": [{"text": "a"}], "usage": usage}).encode(), SAMPLED)
    assert (reply.tokens_out, reply.answers[0].tokens_out) == (paid, paid)


def test_a_paid_reply_without_an_answer_is_counted_and_places_stay():
    usage = {"prompt_tokens": 10, "completion_tokens": 200}
    trouble = read_reply(
        json.dumps({"choices": [{"message": {"content": None}}], "usage": usage}).encode(), SAMPLED
    )
    assert trouble.paid == (10, 200)
    choices = [{"index": 0, "text": "x", "finish_reason": "error"}, {"index": 1, "text": "y"}]
    assert [a.place for a in read_reply(json.dumps({"choices": choices}).encode(), SAMPLED).answers] == [1]


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices": [{"text": "Par\xe9is"}]}',
        b'{"choices": [{"text": "Par\nis"}]}',
        b'{"choices": [{"text": "Paris"}], "x": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_paid_text_survives_what_is_wrong_beside_it(data):
    assert read_reply(data, Decoding(8, 0.7, 1.0, ())).answers[0].text.startswith("Par")


def test_parts_within_parts_end_somewhere():
    content = "deep"
    for _ in range(200):
        content = [{"type": "text", "text": content}]
    assert (
        read_reply(json.dumps({"choices": [{"message": {"content": content}}]}).encode(), SAMPLED)
        .answers[0]
        .text
        == ""
    )


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"text": "a", "finish_reason": "eos_token"}, ("a", "stop", 7, None)),
        ({"text": "a", "finish_reason": "max_tokens"}, ("a", "length", 7, None)),
        ({"message": {"content": None}, "finish_reason": "content_filter"}, (None, "filtered", 7, None)),
        ({"message": {"content": "half"}, "finish_reason": "SAFETY"}, (None, "filtered", 7, None)),
        (
            {"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"},
            (None, "refused", 7, None),
        ),
        (
            {"message": {"content": None, "tool_calls": [{}]}, "finish_reason": "tool_calls"},
            (None, "refused", 7, None),
        ),
        ({"text": "a", "finish_reason": "model_length"}, ("a", "length", 7, None)),
        ({"text": "a", "finish_reason": "MAX_TOKENS"}, ("a", "length", 7, None)),
        ({"text": "a", "finish_reason": "model_context_window_exceeded"}, ("a", "length", 7, None)),
        ({"text": "a", "finish_reason": "content_filter: PROHIBITED_CONTENT"}, (None, "filtered", 7, None)),
        ({"text": "a", "finish_reason": "IMAGE_SAFETY"}, (None, "filtered", 7, None)),
        ({"text": "a", "finish_reason": "sensitive"}, (None, "filtered", 7, None)),
        ({"text": "a", "finish_reason": "context"}, ("a", "stop", 7, None)),
        ({"text": "Par\ud800is"}, ("Par\ufffdis", "stop", 7, None)),
        (
            {
                "message": {
                    "content": [
                        {"type": "thinking", "thinking": [{"text": "hm"}]},
                        {"type": "text", "text": "a"},
                    ]
                }
            },
            ("a", "stop", 7, None),
        ),
        ({"text": "<think>\nhm\n</think>a\nb"}, ("<think>\nhm\n</think>a", "stop", 7, None)),
        ({"text": "a", "logprobs": {"content": [{"token": "a", "logprob": 9e-4}]}}, ("a", "stop", 7, 0.0)),
        ({"text": "a", "logprobs": {"content": [{"token": "a", "logprob": 0.1}]}}, ("a", "stop", 7, None)),
        (
            {"text": "a", "logprobs": {"content": [{"token": "a", "logprob": 10**400}]}},
            ("a", "stop", 7, None),
        ),
        (
            {
                "text": "a",
                "logprobs": {"content": [{"token": "a", "logprob": -1}, {"token": "", "logprob": -2}]},
            },
            ("a", "stop", 7, -1.0),
        ),
        (
            {
                "text": "a",
                "logprobs": {"content": [{"token": "a", "logprob": -1}, {"token": "</s>", "logprob": -2}]},
            },
            ("a", "stop", 7, -1.0),
        ),
        ({"text": "ab", "logprobs": {"content": [{"token": "a", "logprob": -1}]}}, ("ab", "stop", 7, None)),
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
    data = json.dumps({"choices": [choice], "usage": {"completion_tokens": 7}}).encode()
    reply = read_reply(data, SAMPLED)
    assert isinstance(reply, Reply)
    answer = reply.answers[0]
    assert (answer.text, answer.finish_reason, answer.tokens_out, answer.logprob) == expected
    assert reply.tokens_in is None


@pytest.mark.parametrize(
    "message",
    [{"reasoning_content": "hm"}, {"reasoning": "hm"}, {"content": [{"type": "reasoning", "text": "hm"}]}],
)
def test_reasoning_is_kept_beside_the_text(message):
    def read(how=SAMPLED, **choice):
        choice = {"message": {"content": None, **message}, **choice}
        usage = {"completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 5}}
        return read_reply(json.dumps({"choices": [choice], "usage": usage}).encode(), how).answers[0]

    thought = read(finish_reason="length")
    assert (thought.text, thought.reasoning, thought.reasoning_tokens, thought.cut_thought) == (
        "",
        "hm",
        5,
        False,
    )
    assert read(finish_reason="stop").cut_thought, "a stop string ended it"
    assert not read(Decoding(8, 0.7, 1.0, ()), finish_reason="stop").cut_thought


@pytest.mark.parametrize("count", [-1, -(10**6), True, 10**30, 2**31, "7", 1.5, [1]])
def test_a_count_that_makes_no_sense_is_left_empty_and_the_text_stays(count):
    usage = {"prompt_tokens": count, "completion_tokens": count}
    reply = read_reply(json.dumps({"choices": [{"text": "a"}], "usage": usage}).encode(), SAMPLED)
    assert (reply.answers[0].text, reply.tokens_in, reply.tokens_out, reply.senseless) == (
        "a",
        None,
        None,
        True,
    )


def test_tokens_of_all_choices_are_counted_where_a_server_counts_one():
    tokens = {"content": [{"token": "a", "logprob": -1}, {"token": "b", "logprob": -1}]}
    choices = [{"text": "ab", "index": index, "logprobs": tokens} for index in range(4)]
    reply = read_reply(json.dumps({"choices": choices, "usage": {"completion_tokens": 2}}).encode(), SAMPLED)
    assert reply.tokens_out == 8


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"choices": ' + b"[" * 100_000, b"\xff\xfe", b""])
def test_a_reply_that_cannot_be_read_is_trouble(data):
    assert read_reply(data, SAMPLED).passing


def test_an_error_inside_a_reply_of_200_is_an_error():
    trouble = read_reply(b'{"error": {"code": 429, "message": "slow down"}, "choices": []}', SAMPLED)
    assert (trouble.status, trouble.said, trouble.passing) == (429, "slow down", True)
    for reason in ("error", "insufficient_system_resource", "network_error", "OTHER"):
        choice = {"text": "a", "finish_reason": reason}
        assert read_reply(json.dumps({"choices": [choice]}).encode(), SAMPLED).status is None
