"""Choices by how probable the model found its own answers."""

from math import exp

import polars as pl
import pytest

from selfincorrect.discriminate.choices import choice_rows, selected_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.selectors.registry import free, standards
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate, joined, joined_pool, pool_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant


def row(pool, **options):
    variant = Variant(selector="likelihood", **options)
    return selected_rows("own", variant, {"q": pool}, ["q"], len(pool), 7)[0]


LONG, SHORT = Candidate("long", logprob=-6.0, tokens=6), Candidate("short", logprob=-4.0, tokens=2)
BLANK = Candidate("who knows")


@pytest.mark.parametrize(
    ("pool", "normalise", "chosen", "scores"),
    [
        ([LONG, SHORT], "sum", 1, [-6, -4]),
        ([LONG, SHORT], "token", 0, [-1, -2]),
        ([BLANK, LONG], "sum", 1, [None, -6]),
        ([Candidate(None, logprob=0.0, tokens=0), LONG], "sum", 1, [None, -6]),
        ([Candidate("", logprob=-1.0, tokens=0), LONG], "token", 1, [None, -1]),
    ],
)
def test_the_most_probable_answer_is_chosen(pool, normalise, chosen, scores):
    made = row(pool, normalise=normalise)
    assert (made["chosen_sample"], made["valid"], made["how"]) == (chosen, True, "likelihood")
    assert made["scores"] == scores


def test_equal_ones_share_the_choice_and_unknown_ones_have_none():
    assert row([LONG, LONG, BLANK])["shared"] == [0, 1]
    made = row([BLANK, BLANK])
    assert (made["chosen_sample"], made["valid"], made["how"]) == (None, False, "none")


def test_turns_are_summed():
    turns = [Question(f"m-{turn}", "m", "?", ()) for turn in (1, 2)]
    table = pl.DataFrame(
        {
            "question_id": ["m-1", "m-1", "m-2", "m-2"], "sample": [0, 1, 0, 1], "text": ["a", "b", "c", "d"],
            "logprob": [-1.0, -2.0, -3.0, None], "tokens_out": [2, 2, 3, 3],
        }
    )  # fmt: skip
    one, other = joined_pool(turns, pool_of(table, None), get_task("mt_bench"))["m"]
    assert (one.logprob, one.tokens, other.logprob) == (-4.0, 5, None)


def test_pools_from_elsewhere_have_no_likelihood_and_others_are_set_against_it():
    assert "likelihood" not in free()
    assert list(standards()) == ["choose", "likelihood", "majority"]


def asked(task, questions, pool, respond, **options):
    """The row of a pool about which another model is asked."""
    settings = AskingSettings(seed=1, shots=1, choice_tokens=8, answer_tokens=8)
    variant = Variant(selector="likelihood", discriminator="other", ask="all", **options)
    k = len(next(iter(pool.values())))
    view = View(get_task(task), task_prompts(task), variant, k, questions, settings)
    together = joined_pool(questions, pool, get_task(task))
    [each] = discriminations(joined(questions), together, view)
    told = [(each, [respond(request) for request in each.requests])]
    [row] = choice_rows("v", view, together, told, discriminator="other")
    return each.requests, row


def probable(request):
    """A token is a word, and each has a tenth of the probability."""
    words = len(request.options[0].split())
    return Response("", "p", "stop", 9, 0, None, options=(-2.3 * words,), option_tokens=(words,))


def test_another_model_reads_each_answer_after_its_question():
    questions = [Question("q", "q", "Where?", ())]
    pool = {"q": [Candidate(text, text[0]) for text in ("A b", "A", "A", "B c d")] + [Candidate(None)]}
    requests, row = asked("capitals", questions, pool, probable)
    assert [request.options for request in requests[:2]] == [("A b",), ("A",)]
    assert row["scores"] == pytest.approx([-4.6, -2.3, -2.3, -6.9, None])
    assert (row["shared"], row["how"], row["discriminator"], row["calls"]) == ([1, 2], "scored", "other", 4)
    assert asked("capitals", questions, pool, probable, normalise="token")[1]["scores"][:4] == [-2.3] * 4
    added = asked("capitals", questions, pool, probable, by="answer")[1]["scores"]
    both = exp(-4.6) + exp(-2.3)
    assert added[:4] == pytest.approx([both, both, both, exp(-6.9)])


def test_a_conversation_is_read_turn_by_turn_after_its_own_history():
    turns = [Question(f"m-{turn}", "m", f"Ask {turn}?", ()) for turn in (1, 2)]
    pool = {
        "m-1": [Candidate("one"), Candidate("two words"), Candidate(None)],
        "m-2": [Candidate("so then"), Candidate("yes"), Candidate("no")],
    }
    requests, row = asked("mt_bench", turns, pool, probable)
    assert row["scores"] == pytest.approx([-2.3 * 3, -2.3 * 3, None])
    first, second = requests[2:4]
    assert (first.options, second.options) == (("two words",), ("yes",))
    assert second.prompt.history == ((first.prompt.query, "two words"),)
    assert "Ask 2?" in second.prompt.query
    lost = asked("mt_bench", turns, pool, lambda _: Response(None, "p", "error", 9, 0, None))[1]
    assert (lost["valid"], lost["how"]) == (False, "error")
