"""What is read for one question: its own part of the prompts, what several begin with once, and options."""

import pytest

from selfincorrect.discriminate.asked import Asked, Part, Shown
from selfincorrect.discriminate.choices import read_for
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Request, Response, accounted
from tests.support.scoring import question


def test_of_options_nothing_is_read_that_nothing_follows():
    """ " A" and " B" share a blank; "A", "B" and the last token of " no" are not read."""
    options = (" A", " B", "A", "B", " no")
    request = Request(Prompt("", (), "Which?"), SCORED, None, options)
    answer = Response("", "Which?", "stop", 6, 0, None, option_tokens=(2, 2, 1, 1, 3))
    asked = Asked(question(), (Shown((0,), ("Alfa",), (request,), (Part((0,)),)),), (0,))
    told = read_for(asked, [accounted(answer, "a")])
    assert told["tokens_own"] == 6 + len({" ", " n"})


@pytest.mark.parametrize(("query", "own", "alone"), [(None, 9, 15), (8, 12, 16)])
def test_tokens_of_a_query_are_the_engines_and_within_it_by_characters(query, own, alone):
    """Two prompts of 12 tokens, with half of their characters before the query, and half of that alike."""
    asked = [Request(Prompt("", (), name), SCORED, None) for name in ("aaaZZZ", "aaaYYY")]
    shown = tuple(Shown((0,), ("a",), (each,), (Part((0,)),)) for each in asked)
    said = [
        accounted(Response("", f"Do it.{each.prompt.query}", "stop", 12, 0, None, tokens_query=query), "a")
        for each in asked
    ]
    told = read_for(Asked(question(), shown, (0,)), said)
    assert (told["tokens_own"], told["tokens_alone"]) == (own, alone)
