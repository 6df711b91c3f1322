"""What a variant shows, in which order, and which sample a label stands for."""

import re
from itertools import permutations

import pytest

from selfincorrect.engines import Response
from selfincorrect.prompts import task_prompts
from selfincorrect.tasks import get_task
from selfincorrect.tasks.base import Question
from selfincorrect.variants import Candidate, choice_rows, discrimination_requests

PLAIN = {"candidates": None, "distractors": "own", "order": "drawn", "labels": "digits"}
SETTINGS = {"seed": 5, "shots": 2, "choice_tokens": 8}
NAMES = ["Alfa", "Bravo", "Charlie", "Delta"]
QUESTIONS = [Question(f"q{i}", f"q{i}", f"Question number {i}?", ("Delta",)) for i in range(40)]
POOL = {q.question_id: [Candidate(name, name.lower(), float(name == "Delta")) for name in NAMES] for q in QUESTIONS}


def asked(task="capitals", pool=POOL, k=4, **changes):
    variant = PLAIN | changes
    requests = discrimination_requests(
        QUESTIONS, QUESTIONS, pool, get_task(task), task_prompts(task), variant, k, SETTINGS
    )
    return variant, requests


def rows(variant, output, k=4, reason="stop"):
    responses = [Response(output, "", reason, 1, 1, None)] * len(QUESTIONS)
    return choice_rows("v", variant, QUESTIONS, responses, task_prompts("capitals"), k, SETTINGS["seed"])


@pytest.mark.parametrize("labels", ["digits", "letters"])
@pytest.mark.parametrize("order", ["drawn", "permuted"])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_label_stands_for_the_sample_shown_beside_it(order, labels, k):
    variant, requests = asked(order=order, labels=labels, k=k)
    for position in range(k):
        label = "ABCD"[position] if labels == "letters" else str(position + 1)
        for request, row in zip(requests, rows(variant, label, k), strict=True):
            shown = re.findall(r"^(\w)\. (\w+)$", request.prompt.query, re.MULTILINE)
            assert dict(shown)[label] == NAMES[row["chosen_sample"]]
            assert row["order"][position] == row["chosen_sample"]
            assert sorted(row["order"]) == list(range(k))


def test_drawn_is_drawn_and_permuted_is_seeded_and_spread():
    assert {tuple(row["order"]) for row in rows(PLAIN, "1")} == {(0, 1, 2, 3)}
    permuted = [tuple(row["order"]) for row in rows(PLAIN | {"order": "permuted"}, "1")]
    assert permuted == [tuple(row["order"]) for row in rows(PLAIN | {"order": "permuted"}, "2")]
    assert len(set(permuted)) > 15
    assert set(permuted) <= set(permutations(range(4)))


def test_letters_are_called_letters():
    _, requests = asked(labels="letters")
    assert "letter of the best" in requests[0].prompt.instruction
    assert requests[0].prompt.query.endswith("Letter of the best answer:")
    assert {response for _, response in requests[0].prompt.shots} <= set("ABCD")


def test_easy_distractors_do_not_depend_on_k():
    others = [Question(f"o{i}", f"o{i}", "?", (f"Place{i}",)) for i in range(50)]
    task, prompts, variant = get_task("capitals"), task_prompts("capitals"), PLAIN | {"distractors": "easy"}
    two, four = (discrimination_requests(QUESTIONS, others, POOL, task, prompts, variant, k, SETTINGS) for k in (2, 4))
    for small, large in zip(two, four, strict=True):
        few, all_ = (re.findall(r"^\d\. (\w+)$", r.prompt.query, re.MULTILINE) for r in (small, large))
        assert few == all_[:2]
        assert all(name.startswith("Place") for name in all_[:3])
        assert all_[3] == "Delta"


def test_an_output_that_was_cut_has_no_loose_label():
    assert {row["how"] for row in rows(PLAIN, "I would say 2, since", reason="length")} == {"cut"}
    assert {row["how"] for row in rows(PLAIN, "I would say 2", reason="stop")} == {"loose"}
    assert {row["how"] for row in rows(PLAIN, None, reason="context")} == {"context"}


def test_final_numbers_are_shown_for_easy_distractors_of_gsm8k():
    texts = ["3 + 4 = 7\n#### 7", "It is 9.", "no number", "#### 12"]
    pool = {
        q.question_id: [Candidate(t, get_task("gsm8k").extract(t), float("12" in t)) for t in texts] for q in QUESTIONS
    }
    _, requests = asked("gsm8k", pool, distractors="easy")
    for request in requests:
        shown = re.findall(r"^Result \d: (.*)$", request.prompt.query, re.MULTILINE)
        assert shown[0] in ("700", "0.07")
        assert shown[1] in ("900", "0.09")
        assert shown[2:] == ["(no answer)", "12"]
    _, whole = asked("gsm8k", pool)
    assert "Solution 1: 3 + 4 = 7\n#### 7\nSolution 2: It is 9." in whole[0].prompt.query
