"""A hidden number found again, and other ways of putting the question."""

import pytest

from selfincorrect.discriminate.choices import choice_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant
from tests.support.scoring import NAMES, SETTINGS, candidates, question, view

GSM8K = get_task("gsm8k")
ASKED = "Tom has 3 boxes of 1,200 pins, gives 2.5 away at the 4th stop and buys B12."


def of_numbers(text=ASKED, answers=("#### 18", "it is 9", "none"), **options):
    task = View(
        GSM8K, task_prompts("gsm8k"), Variant(selector="backward", ask="all", **options), 3, [], SETTINGS
    )
    about = Question("q", "q", text, ("18",))
    pool = {"q": [Candidate(answer, GSM8K.extract(answer), 0.0) for answer in answers]}
    [asked] = discriminations([about], pool, task)
    return task, pool, asked


def test_each_number_is_hidden_in_turn_and_the_final_answer_given():
    _, _, asked = of_numbers()
    queries = [request.prompt.query for request in asked.requests]
    assert len(queries) == 2 * 3 * 2, "two candidates with a number, three masks, two draws"
    told = [query.split("\n")[:2] for query in queries[::2]]
    masked = [ASKED.replace(number, "____", 1) for number in ("3", "1,200", "2.5")]
    assert told == [
        [f"Question: {text}", f"Final answer: {answer}"] for answer in ("18", "9") for text in masked
    ]
    assert len(set(asked.requests)) == len(queries)
    assert asked.requests[0].decoding.temperature == 0.7
    query, response = asked.requests[0].prompt.shots[0]
    hidden = response.rsplit("#### ", 1)[1]
    assert query.count("____") == 1
    assert query.replace("____", hidden).startswith(
        "Question: " + task_prompts("gsm8k").demonstrations[0].question
    )
    assert "Final answer: 15" in query


@pytest.mark.parametrize(("masks", "draws"), [(1, 1), (2, 3), (9, 1)])
def test_masks_and_draws(masks, draws):
    assert len(of_numbers(masks=masks, draws=draws)[2].requests) == 2 * min(masks, 3) * draws


def test_hits_are_counted_by_number_and_not_by_spelling():
    task, pool, asked = of_numbers(draws=1)
    numbers = ["3", "1200", "2.50"]
    right = iter([f"So\n#### {number}" for number in numbers] + ["#### 3", "no idea", "### 7"])
    told = [Response(next(right), "p", "stop", 1, 1, None) for _ in asked.requests]
    [row] = choice_rows("v", task, pool, [(asked, told)])
    assert row["scores"] == pytest.approx([1.0, 1 / 3, None])
    assert (row["parsed"], row["chosen_sample"], row["calls"]) == ("3/3 1/3 0/0", 0, 6)
    lost = [Response(None, "p", "error", 1, 0, None), *told[1:]]
    [row] = choice_rows("v", task, pool, [(asked, lost)])
    assert (row["valid"], row["how"]) == (False, "error")


def test_a_question_without_numbers_is_not_asked():
    task, pool, asked = of_numbers(text="How many?")
    assert asked.requests == []
    [row] = choice_rows("v", task, pool, [(asked, [])])
    assert (row["valid"], row["how"], row["calls"]) == (False, "none", 0)


@pytest.mark.parametrize(("framing", "words"), [("own", "by you earlier"), ("other", "by somebody else")])
@pytest.mark.parametrize("selector", ["choose", "p_true", "verify", "pairwise", "score"])
def test_framings_are_a_sentence_more(framing, words, selector):
    def instruction(**options):
        pool = {"q0": candidates(*NAMES)}
        [asked] = discriminations([question()], pool, view(selector=selector, **options))
        return asked.requests[0].prompt.instruction

    plain, framed = instruction(), instruction(framing=framing)
    assert framed.startswith(plain)
    assert words in framed.removeprefix(plain)


def test_a_statement_can_be_put_beside_all_candidates():
    pool = {"q0": candidates(*NAMES)}
    [asked] = discriminations([question()], pool, view(selector="p_true", context="all"))
    lines = asked.requests[2].prompt.query.split("\n")
    assert lines[1:7] == [
        "Every answer that was proposed:", "- Alfa", "- Bravo", "- Charlie", "- Delta", "Answer: Bravo",
    ]  # fmt: skip
    assert all(query.count("\n- ") == 4 for query, _ in asked.requests[0].prompt.shots)


def test_the_same_text_is_verified_once():
    pool = {"q0": candidates("Alfa", "Bravo", "Alfa", "Delta")}
    [asked] = discriminations([question()], pool, view(selector="verify"))
    assert len(asked.requests) == 8
    assert len(set(asked.requests)) == 6
