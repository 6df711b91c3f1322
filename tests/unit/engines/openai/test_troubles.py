"""What a server's errors say: a prompt that does not fit, a filter, a parameter that is refused."""

import pytest

from selfincorrect.engines.openai.troubles import Missing, Trouble, message_of, reason_of, refused


@pytest.mark.parametrize(
    ("message", "body", "tokens"),
    [
        ("boom", {"code": "context_length_exceeded"}, None),
        ("The decoder prompt (length 9000) is longer than the maximum model length of 4096.", {}, 9000),
        ("This model's maximum prompt length is 131072 but the request contains 537812 tokens.", {}, 537812),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", {},
        1200000),
        ("`inputs` must have less than 1024 tokens. Given: 1500", {}, 1500),
        ("too many tokens: size limit exceeded by 11326 tokens", {}, None),
        ("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context "
         "length", {}, 40000),
        ("Please reduce the length of the messages or completion.", {}, None),
        ("request (3001 tokens) exceeds the available context size (512 tokens), try increasing "
         "it", {}, 3001),
        ("The input (9000 tokens) is longer than the model's context length (4096 tokens).", {}, 9000),
        ("Input is too long for requested model.", {}, None),
        ("input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 "
         "tokens", {}, 300000),
        ("maximum context length is 100 tokens. You have " + "9" * 450 + " input tokens", {}, None),
        ("maximum context length is 4096 tokens, you requested 5000 tokens (4900 in the messages, 100 in the "
         "completion)", {}, 4900),
        ("max_tokens is too large: 50. The model's context length is 100 and your request has 90 input "
         "tokens", {}, 90),
        ("the request exceeds the available context size", {"type": "exceed_context_size_error",
        "n_prompt_tokens": 321}, 321),
        ("`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3000 `inputs` tokens and 20 "
         "`max_new_tokens`", {}, 3000),
        ("prompt is too long: 210000 tokens > 200000 maximum", {}, 210000),
        ("input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000, decrease input "
         "length", {}, 199759),
        ("prompt length (9000) exceeds the maximum input length (8192)", {}, 9000),
        ("Range of input length should be [1, 30720]", {}, None),
        ("Request body too large. code: tokens_limit_reached", {}, None),
    ],
)  # fmt: skip
def test_ways_to_say_that_a_prompt_does_not_fit(message, body, tokens):
    for status in (400, 413, 422):
        assert reason_of(Trouble(status, message, body), {"max_tokens": 8}) == Missing(
            "context", message, tokens
        )
    assert reason_of(Trouble(500, message, body), {"max_tokens": 8}) is None


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("max_tokens is too large: 5000. This model supports at most 4096 completion tokens", {}),
        ("max_tokens is too large: 5000. This model's maximum context length is 4096 tokens", {}),
        ("'max_tokens' or 'max_completion_tokens' is too large: 5000", {"param": "max_tokens"}),
        ("maximum context length is 4096 tokens. However, you requested 5020 tokens (20 in the messages, "
         "5000 in the completion)", {}),
        ("Request too large: tokens per minute (TPM): Limit 6000, Requested 9000 tokens, exceeds it", {}),
        ("You exceeded your current quota of tokens", {}),
        ("unknown model", {}),
        ("invalid prompt", {}),
        ("model names are case-sensitive", {}),
        ("top_k is not supported", {"param": ["top_k", "min_p"]}),
    ],
)  # fmt: skip
def test_what_is_no_long_prompt(message, body):
    trouble = Trouble(400, message, body)
    assert reason_of(trouble, {"max_tokens": 5000}) is None
    refused(trouble, {"max_tokens": 5000})


def test_a_prompt_that_is_too_long_for_an_answer_as_long_as_the_context_is_that_questions_own():
    said = "request (9000 tokens) exceeds the available context size (4096 tokens)"
    for body in ({"n_prompt_tokens": 9000}, {}):
        assert reason_of(Trouble(400, said, body), {"max_tokens": 4096}) == Missing("context", said, 9000)


def test_one_request_that_is_too_large_is_a_reason_of_its_own():
    assert (
        reason_of(Trouble(413, "on tokens per minute (TPM): Limit 6000, Requested 9302"), {}).reason
        == "error"
    )
    assert reason_of(Trouble(413, "Payload too large"), {}).reason == "context"


@pytest.mark.parametrize(
    "said", ["Your access was terminated due to violation of our policies", "This account is suspended."]
)
def test_a_closed_account_is_no_filter(said):
    assert Trouble(403, said).general
    assert Trouble(400, said).general


@pytest.mark.parametrize(
    ("status", "message", "body"),
    [
        (
            400,
            "The response was filtered due to the prompt triggering content management policy",
            {"code": "content_filter"},
        ),
        (400, "boom", {"code": "content_policy_violation"}),
        (403, "Your input was flagged", {"metadata": {}}),
        (400, "Content Exists Risk", {}),
        (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO", {}),
        (400, "The text holds sensitive words", {}),
    ],
)
def test_a_filter_is_no_error(status, message, body):
    assert reason_of(Trouble(status, message, body), {}) == Missing("filtered", message)


@pytest.mark.parametrize(
    ("message", "without", "needed"),
    [
        (
            "Unsupported parameter: 'logprobs'. Supported parameters are: temperature, top_p, max_tokens, "
            "stop, seed",
            ["logprobs"],
            [],
        ),
        ("seed is not supported; allowed: logprobs, stop", ["seed"], []),
        ("Unrecognized request arguments supplied: min_p, top_k", ["top_k", "min_p"], []),
        ("Unexpected fields in the request: {'top_k'}", ["top_k"], []),
        ("top_p is not supported with this model", [], ["top_p"]),
        ("Invalid value: logprobs must be one of true, false, stop", ["logprobs"], []),
        ("no", [], []),
    ],
)
def test_only_what_was_refused_is_left_out(message, without, needed):
    sent = dict.fromkeys(("logprobs", "seed", "stop", "min_p", "top_k", "max_tokens"), 1) | {"top_p": 0.9}
    assert refused(Trouble(400, message), sent) == (without, needed)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("plain", "plain"),
        ({"detail": "why"}, "why"),
        ({"error": {"message": "why"}}, "why"),
        ({"x": 1}, '{"x": 1}'),
    ],
)
def test_words_of_an_error(body, words):
    assert message_of(body) == words
