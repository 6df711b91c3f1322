"""What ways of asking show, how often, and what they do not ask."""

import re
from dataclasses import replace
from itertools import permutations

import pytest

from selfincorrect.discriminate.orders import orders_of
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.selectors.registry import asking, get_selector, names
from selfincorrect.discriminate.selectors.verify import verdict
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import numbers_of
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant
from tests.support.scoring import NAMES, SETTINGS, candidates, judge, question, rows, scores, shown, view
from tests.support.tasks import EACH_KIND


def test_answers_shown_once_share_what_they_score():
    names = ("Alfa", "Bravo", "Bravo", "Delta")
    plain = scores(view(selector="label_probability"), judge(), names)
    once = scores(view(selector="label_probability", distinct=True), judge(), names)
    assert plain == pytest.approx([0.5 / 8.5, 3 / 8.5, 3 / 8.5, 2 / 8.5])
    assert once == pytest.approx([0.5 / 5.5, 3 / 5.5, 3 / 5.5, 2 / 5.5])
    voted = scores(view(selector="label_probability", by="answer"), judge(), names)
    assert voted == pytest.approx([0.5 / 8.5, 6 / 8.5, 6 / 8.5, 2 / 8.5])
    [row] = rows(view(selector="label_probability", distinct=True), [candidates(*names)], judge())
    assert row["shared"] == [1, 2]
    assert row["orders"] == [[0, 1, 3], [1, 3, 0], [3, 0, 1]]


def test_decided_questions_are_not_asked():
    pools = [candidates("Alfa", "Alfa", "Alfa", "Alfa"), candidates(*NAMES)]
    decided, asked = rows(view(selector="label_probability"), pools, judge())
    told = decided["calls"], decided["how"], decided["shared"], decided["valid"]
    assert told == (0, "decided", [0, 1, 2, 3], True)
    assert asked["calls"] == 4
    both = rows(view(selector="label_probability", ask="all"), pools, judge())
    assert [row["calls"] for row in both] == [1, 4]  # its rotations are one request
    unformed = [[replace(each, extracted=None) for each in pools[0]]]
    [row] = rows(view(selector="label_probability"), unformed, judge())
    assert row["how"] == "scored"  # without a normal form none equals another


def test_identical_candidates_are_scored_by_one_call():
    [row] = rows(view(selector="pairwise", ask="all"), [candidates("Alfa", "Alfa", "Alfa", "Bravo")], judge())
    assert row["calls"] == 3  # Alfa with itself, with Bravo, and Bravo with it
    assert row["scores"][0] == row["scores"][2]


def test_orders_are_those_that_are_asked_for():
    def orders(k=4, **options):
        return orders_of(Variant(**options), range(k), "q", k, 3)

    assert orders() == ((0, 1, 2, 3),)
    assert orders(orders="permuted") == orders(order="permuted")
    assert sorted(orders(orders="all")) == sorted(permutations(range(4)))
    assert orders(orders="rotations", k=3) == ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    assert len(orders(orders=6)) == 6
    assert orders(orders=6)[:2] == orders(orders=2)
    assert len(set(orders(orders=6))) > 2


def test_several_orders_are_a_vote():
    replies = iter(["1", "1", "2", "no label"])
    shown_view = view(orders="rotations")
    [row] = rows(
        shown_view,
        [candidates(*NAMES)],
        lambda request: Response(next(replies), request.prompt.text(), "stop", 9, 1, None),
    )
    assert row["scores"] == [1, 1, 0, 1]
    assert (row["parsed"], row["how"], row["calls"]) == ("1 1 2 –", "loose", 4)
    assert row["picks"] == [0, 1, 3, None]
    [row] = rows(view(selector="label_probability"), [candidates(*NAMES)], judge((9.0, 1.0, 1.0, 1.0)))
    assert row["picks"] == [0, 1, 2, 3]
    [row] = rows(view(), [candidates(*NAMES)], lambda request: Response("1", "p", "stop", 9, 1, None))
    assert row["picks"] is None


@pytest.mark.parametrize(
    ("output", "finished", "expected"),
    [
        ("This answer names the right city.\nVerdict: Yes", True, True),
        ("It is the largest city.\nVerdict: No.", True, False),
        ("**Verdict:** yes", True, True),
        ("Verdict: No\nOn second thought.\nVerdict: Yes", True, True),
        ("It is right.\nYes", True, True),
        ("It is right.\nYes", False, None),
        ("yes, it may be", True, None),
        ("Verdict: Maybe", True, None),
        ("<think>Verdict: Yes", True, None),
        ("", True, None),
    ],
)
def test_verdicts_are_read(output, finished, expected):
    assert verdict(output, finished) is expected


def test_a_candidate_is_verified_several_times():
    said = {"alfa": "No", "bravo": "Yes", "charlie": "perhaps", "delta": "Yes"}
    seen = []

    def respond(request):
        seen.append(request)
        name = shown(request)[0].casefold()
        word = "No" if name == "delta" and len(seen) % 2 else said[name]
        return Response(f"So.\nVerdict: {word}", request.prompt.text(), "stop", 9, 5, None)

    [row] = rows(view(selector="verify"), [candidates(*NAMES)], respond)
    assert row["scores"] == [0, 1, None, 0.5]
    assert (row["parsed"], row["how"], row["calls"], row["temperature"]) == (
        "0/2 2/2 0/0 1/2",
        "loose",
        8,
        0.7,
    )
    assert {request.decoding.temperature for request in seen} == {0.7}
    assert len({request.seed for request in seen}) == 8
    shots = [response for _, response in seen[0].prompt.shots]
    assert [shot.split("\n")[-1] for shot in shots] == ["Verdict: Yes", "Verdict: No"] * 2
    assert shots[0].startswith("This answer ")


def test_several_choices_are_a_vote():
    replies, seen = iter("1213"), []

    def respond(request):
        seen.append(request)
        return Response(next(replies), request.prompt.text(), "stop", 9, 1, None)

    [row] = rows(view(samples=4), [candidates(*NAMES)], respond)
    assert row["scores"] == [2, 1, 1, 0]
    assert (row["chosen_sample"], row["temperature"]) == (0, 0.7)
    assert len({request.seed for request in seen}) == 4
    [greedy] = rows(view(), [candidates(*NAMES)], lambda request: Response("1", "p", "stop", 9, 1, None))
    assert greedy["temperature"] == 0


def test_each_way_asks_its_own_question():
    asked = {}
    for name in ("choose", "label_probability", "pairwise", "consistency", "score", "verify", "p_true"):
        [each] = discriminations([question()], {"q0": candidates(*NAMES)}, view(selector=name))
        asked[name] = each.requests[0].prompt
    instructions = {name: prompt.instruction for name, prompt in asked.items()}
    assert instructions["choose"] == instructions["label_probability"]
    assert len(set(instructions.values())) == len(instructions) - 1
    assert "agrees best with the others" in instructions["consistency"]
    assert "best one" not in instructions["consistency"]
    assert "(1 to 2)" in instructions["pairwise"]
    assert asked["pairwise"].query.count("Alfa") == asked["pairwise"].query.count("Bravo") == 1
    assert "Charlie" not in asked["pairwise"].query


ASKING = [name for name in names() if get_selector(name).asks]


ABLE = [
    (task, selector)
    for task in EACH_KIND
    if task_prompts(task).demonstrations
    for selector in ASKING
    if numbers_of(get_task(task)) or not asking(Variant(selector=selector)).numeric
]


@pytest.mark.parametrize(("task", "selector"), ABLE)
def test_every_task_can_be_asked_in_every_way(task, selector):
    """Demonstrations hold right and wrong answers alike, and nothing is left to fill in."""
    prompts = task_prompts(task)
    settings = SETTINGS.model_copy(update={"shots": min(4, len(prompts.demonstrations))})
    variant = Variant(selector=selector, ask="all")
    shown_view = View(get_task(task), prompts, variant, 3, [question()], settings)
    pool = {"q0": [Candidate(f"Answer {name}\n#### {place}") for place, name in enumerate("abc")]}
    about = replace(question(), question="What are 3 + 4 + 5?")
    [asked] = discriminations([about], pool, shown_view)
    assert len(asked.requests) == asking(variant).calls(variant, 3)
    assert not asking(variant).more(shown_view, asked, [Response(None, "", "error", 1, 0, None)])
    for request in asked.requests:
        turns = len(prompts.demonstrations[0].turns()) if asking(variant).continues else 1
        assert len(request.prompt.shots) == settings.shots * turns
        assert not re.search(r"\{[a-zA-Z]+\}", request.prompt.text())
    if not asking(variant).continues:
        responses = [response.split("\n")[-1] for _, response in asked.requests[0].prompt.shots]
        assert len(set(responses)) > 1


def test_self_certainty_reads_each_answer_after_its_question():
    seen = []

    def respond(request):
        seen.append(request)
        return Response(
            "",
            "p",
            "stop",
            9,
            0,
            None,
            options=(-1.0,),
            certainties=(len(request.options[0]) / 10,),
            option_tokens=(2,),
        )

    pool = candidates(" Alfa", " Bravo", " Alfa", " Delta\n")
    [row] = rows(view(selector="self_certainty"), [[*pool[:3], replace(pool[3], text=None)]], respond)
    assert row["scores"] == [0.5, 0.6, 0.5, None]
    assert row["calls"] == 3
    assert [request.options for request in seen] == [(" Alfa",), (" Bravo",), (" Alfa",), ("(no answer)",)]
    assert seen[0].prompt == generation_prompt(question(), task_prompts("capitals"), 4)
    none = Response("", "p", "stop", 9, 0, None, options=(-1.0,))
    [row] = rows(view(selector="self_certainty"), [pool], lambda request: none)
    assert (row["valid"], row["how"]) == (False, "none")
