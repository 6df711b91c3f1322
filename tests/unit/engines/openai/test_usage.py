"""What servers say of their caches, each in its own words."""

import json

import pytest

from selfincorrect.engines.openai.replies import read_reply
from selfincorrect.engines.requests import Decoding


@pytest.mark.parametrize(
    ("told", "cached"),
    [
        ({}, None),  # not told is not known
        ({"prompt_tokens_details": {"cached_tokens": 48}}, 48),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, 0),
        ({"prompt_tokens_details": None}, None),
        ({"prompt_tokens_details": {"audio_tokens": 3}}, None),
        ({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, 64),
        ({"cache_read_input_tokens": 10}, 10),
        ({"prompt_tokens_details": {"cached_tokens": 101}}, None),  # more than there are
        ({"prompt_tokens_details": {"cached_tokens": -1}}, None),
        ({"prompt_tokens_details": {"cached_tokens": "48"}}, None),
        ({"prompt_tokens_details": [48]}, None),
    ],
)
def test_cached_tokens(told, cached):
    usage = {"prompt_tokens": 100, "completion_tokens": 2, **told}
    body = {"choices": [{"text": "Lima", "finish_reason": "stop"}], "usage": usage}
    assert read_reply(json.dumps(body).encode(), Decoding(8, 0.0, 1.0, ())).tokens_cached == cached
