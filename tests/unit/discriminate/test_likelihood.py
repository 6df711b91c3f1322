"""Choices by how probable the model found its own answers."""

import polars as pl
import pytest

from selfincorrect.discriminate.choices import selected_rows
from selfincorrect.discriminate.selectors.registry import free, standards
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate, joined_pool, pool_of
from selfincorrect.tasks.registry import get_task
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
