"""The order of calls: what begins alike comes after one that was read."""

import random
import threading
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.engines.openai.order import BLOCK, Queue, _alike, _firsts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request
from tests.support.hosted import answers, engine

TOKEN, BLOCK_TOKENS = 4, 16  # characters of a token, tokens of a block


class Cache:
    """Blocks of prompts that a server has read, as vLLM keeps them: each is known with all before it.

    A prompt is known once its call is over. At most `room` blocks stay, the last used ones.
    """

    def __init__(self, room):
        self.room, self.blocks, self.lock = room, OrderedDict(), threading.Lock()
        self.hits = self.asked = 0
        self.seen = set()

    def tokens(self, text):
        return -(-len(text) // TOKEN)

    def _prefixes(self, text):
        size = TOKEN * BLOCK_TOKENS
        return [text[: (place + 1) * size] for place in range(len(text) // size)]

    def look_up(self, text):
        with self.lock:
            prefixes = self._prefixes(text)
            known = next((i for i, each in enumerate(prefixes) if each not in self.blocks), len(prefixes))
            self.hits += known
            self.asked += len(prefixes)
            self.seen |= set(prefixes)
            return known * BLOCK_TOKENS

    def keep(self, text):
        with self.lock:
            for each in self._prefixes(text):
                self.blocks[each] = None
                self.blocks.move_to_end(each)
            while len(self.blocks) > self.room:
                self.blocks.popitem(last=False)

    @property
    def rate(self):
        """Blocks that were found, of those that could be: all but the first of its kind."""
        return self.hits / (self.asked - len(self.seen))


def caching(server, room):
    """Have a server count what its cache would have, and say so as vLLM does."""
    cache = Cache(room)

    def reply(handler, body):
        text = body["prompt"]
        known = cache.look_up(text)
        threading.Event().wait(0.002)
        cache.keep(text)
        usage = {"prompt_tokens": cache.tokens(text), "completion_tokens": 3,
                 "prompt_tokens_details": {"cached_tokens": known}}  # fmt: skip
        handler.reply(200, {"choices": server.choices(body), "usage": usage, "model": "model-1"})
        return True

    server.always = reply
    return cache


def requests(seed=1):
    """What a run asks: four answers each about 12 questions, each alone, after one of two instructions."""
    shots = (("What is asked? " * 8, "What is answered. " * 8),) * 4
    prompts = [
        Prompt(instruction * 6, shots, f"Question {number}: {'why so? ' * 20}\nAnswer {each}: {'so ' * 9}?")
        for instruction in ("Choose the best answer. ", "Is the answer right? ")
        for number in range(12)
        for each in range(4)
    ]
    random.Random(seed).shuffle(prompts)
    return [Request(prompt, Decoding(8, 0.0, 1.0, ()), None) for prompt in prompts]


@pytest.mark.parametrize(("concurrency", "room"), [(1, 40), (8, 64), (8, 10_000)])
def test_a_cache_finds_nearly_all_that_it_could(server, concurrency, room):
    cache = caching(server, room)
    found = answers(engine(server, concurrency=concurrency), requests())
    assert cache.rate >= 0.9
    assert sum(each.tokens_cached for each in found) == cache.hits * BLOCK_TOKENS
    assert all(each.tokens_read == each.tokens_in - each.tokens_cached for each in found)


def test_calls_in_the_order_given_find_less(server):
    """What the order is for: with little room the cache forgets what comes late."""
    cache = Cache(40)
    for request in requests():
        cache.look_up(request.prompt.text())
        cache.keep(request.prompt.text())
    assert cache.rate < 0.5


def test_others_are_asked_meanwhile(server):
    """What begins like nothing else waits for nothing."""
    queue = Queue([("a" * BLOCK + "1", 1), ("a" * BLOCK + "2", 2), ("b", 3)])
    first, other = queue.next(), queue.next()
    assert (first[1], other[1]) == (1, 3)
    assert queue.next() is None
    assert queue
    queue.done(first[0])
    assert queue.next()[1] == 2
    assert not queue


def test_what_is_asked_again_comes_next():
    queue = Queue([("a", 1), ("b", 2)])
    queue.back([7, 8])
    assert [queue.next() for _ in range(4)] == [(None, 7), (None, 8), (0, 1), (1, 2)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab", max_size=6), min_size=1, max_size=12))
def test_each_waits_for_the_first_that_shares_most(words):
    texts = sorted("".join(letter * BLOCK for letter in word) for word in words)
    for place, first in enumerate(_firsts(texts)):
        alike = [_alike(texts[place], other) for other in texts[:place]]
        most = max(alike, default=0)
        assert first == (alike.index(most) if most else None)


@given(st.lists(st.tuples(st.text("ab", max_size=9).map(lambda text: text * 20), st.integers()), max_size=20))
def test_every_call_is_made_once(calls):
    queue, made = Queue(calls), []
    while queue:
        number, call = queue.next()  # never held for ever
        made.append(call)
        queue.done(number)
    assert sorted(made) == sorted(call for _, call in calls)
