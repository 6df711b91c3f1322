"""Selectors that read probabilities of given answers, on scripted judges."""

import math
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.discriminate.label_scores import ended, label_probabilities, spelled
from selfincorrect.discriminate.orders import orders_of
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.selectors.pairwise import RIDGE, strengths
from selfincorrect.discriminate.selectors.registry import asking, get_selector, names
from selfincorrect.discriminate.selectors.verify import verdict
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.variant import Variant
from tests.support.scoring import QUALITY, answered, candidates, judge, question, rows, shown, view

NAMES = ("Alfa", "Bravo", "Charlie", "Delta")
BIASED = (8.0, 1.0, 2.0, 0.5)
SCORING = [name for name in names() if get_selector(name).asks and asking(name).scoring]


def scores(shown_view, respond, names=NAMES):
    [row] = rows(shown_view, [candidates(*names)], respond)
    return row["scores"]


def test_rotations_are_the_mean_of_four_runs():
    whole = scores(view(selector="label_probability"), judge(BIASED))
    runs = []
    for turn in range(4):
        names = NAMES[turn:] + NAMES[:turn]
        one = scores(view(selector="label_probability", orders="drawn"), judge(BIASED), names)
        runs.append(dict(zip(names, one, strict=True)))
    assert whole == pytest.approx([sum(run[name] for run in runs) / 4 for name in NAMES])
    assert sum(whole) == pytest.approx(1)
    [row] = rows(view(selector="label_probability"), [candidates(*NAMES)], judge(BIASED))
    assert row["orders"] == [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]
    assert (row["calls"], row["how"], row["valid"], row["bounded"]) == (4, "scored", True, False)
    assert row["label_mass"] == pytest.approx(0.8)


def test_the_prior_is_divided_out():
    """By hand: where p is prior x quality, softmax of the mean logarithm over all rotations is the prior."""
    shown_view = view(selector="label_probability", calibrate="prior")
    pools = [candidates(*Random(number).sample(NAMES, 4)) for number in range(30)]
    found = rows(shown_view, pools, judge(BIASED))
    rotated = [row for row in found if len(row["orders"]) == 4]
    assert len(rotated) == 20
    assert {row["calls"] for row in found} == {1, 4}
    [row] = [row for row in found if row["calls"] == 1][:1]
    names = [each.text.casefold() for each in pools[int(row["question_id"][1:])]]
    weights = [slot * QUALITY[name] for slot, name in zip(BIASED, names, strict=True)]
    prior = [each / sum(BIASED) for each in BIASED]
    expected = [math.log(w / sum(weights)) - math.log(p) for w, p in zip(weights, prior, strict=True)]
    assert row["scores"] == pytest.approx(expected)
    assert names[row["chosen_sample"]] == "bravo"
    assert not row["probabilities"]


def test_a_transitive_judge_gets_its_order_back():
    for aggregate in ("mean", "bradley_terry"):
        found = scores(view(selector="pairwise", aggregate=aggregate), judge((5.0, 1.0)))
        order = sorted(NAMES, key=lambda name: -found[NAMES.index(name)])
        assert order == sorted(NAMES, key=lambda name: -QUALITY[name.casefold()])
    [row] = rows(view(selector="pairwise"), [candidates(*NAMES)], judge())
    assert row["calls"] == 12
    p = {(i, j): QUALITY[i] / (QUALITY[i] + QUALITY[j]) for i, j in permutations(QUALITY, 2)}
    expected = [sum(p[i, j] for j in QUALITY if j != i) / 3 for i in QUALITY]
    assert row["scores"] == pytest.approx(expected)


def test_strengths_are_the_maximum_of_their_likelihood():
    p = {(0, 1): 0.9, (0, 2): 0.6, (1, 2): 0.3}
    wins = p | {(j, i): 1 - share for (i, j), share in p.items()}
    t = strengths(wins)
    for name in t:
        slope = -2 * RIDGE * t[name]
        for (i, j), share in p.items():
            apart = 1 / (1 + math.exp(t[j] - t[i]))
            slope += (share - apart) * ((name == i) - (name == j))
        assert slope == pytest.approx(0, abs=1e-4)
    assert max(strengths({(0, 1): 1.0, (1, 0): 0.0}).values()) < 10  # finite where one always wins


def test_true_is_told_from_false_under_both_assignments():
    def respond(request):
        [text] = shown(request)
        lines = request.prompt.query.split("\n")
        true = {"alfa": 0.2, "bravo": 0.9, "charlie": 0.4, "delta": 0.6}[text.casefold()]
        first = next(line for line in lines if line.startswith("(A)"))
        p = true if "True" in first else 1 - true
        p = 0.5 + (p - 0.5) * 0.8 + 0.1  # A is liked whatever it says
        return answered(request, [0.9 * p, 0.9 * (1 - p)])

    [row] = rows(view(selector="p_true"), [candidates(*NAMES)], respond)
    assert row["scores"] == pytest.approx([0.5 + (p - 0.5) * 0.8 for p in (0.2, 0.9, 0.4, 0.6)])
    assert row["calls"] == 8
    assert row["probabilities"]
    shots = discriminations([question()], {"q0": candidates(*NAMES)}, view(selector="p_true"))
    told = [response for _, response in shots[0].requests[0].prompt.shots]
    assert sorted(told) == ["A", "A", "B", "B"]
    held = ["True" in next(x for x in q.split("\n") if x.startswith(f"({a})")) for q, a in
            shots[0].requests[0].prompt.shots]  # fmt: skip
    assert sorted(held) == [False, False, True, True]
    assert sorted(told[:2]) == ["A", "B"]
    assert sorted(held[:2]) == [False, True]


def test_the_expected_score_is_a_mean_over_ten():
    shares = {"alfa": [1, 0, 0, 0, 0, 0, 0, 0, 0, 1], "bravo": [0] * 9 + [1], "charlie": [1] * 10}

    def respond(request):
        weights = shares[shown(request)[0].casefold()]
        return answered(request, [0.7 * each / sum(weights) for each in weights])

    found = scores(view(k=3, selector="expected_score"), respond, NAMES[:3])
    assert found == pytest.approx([5.5, 10, 5.5])


def test_labels_that_begin_another_are_scored_with_their_end():
    ten = [str(label) for label in range(1, 11)]
    assert ended(ten) == (" 1", "1", " (1)", "(1)", " 10", "10", " (10)", "(10)")
    assert ended(ten[:9]) == ended("ABCD") == ()
    assert spelled(ten)[:5] == (" 1", "1", " (1)", "(1)", " 2")
    assert " (2" in spelled(ten)


@pytest.mark.parametrize("selector", SCORING)
def test_an_unreadable_score_is_never_the_highest(selector):
    for reason in ("context", "error"):
        lost = Response(None, "p", reason, 9, 0, None)
        [row] = rows(view(selector=selector), [candidates(*NAMES)], lambda request, lost=lost: lost)
        assert (row["valid"], row["how"], set(row["scores"])) == (False, reason, {None})
    unknown = Response("", "p", "stop", 9, 0, None, options=(None,) * 99, bound=-1.0)
    [row] = rows(view(selector=selector), [candidates(*NAMES)], lambda request: unknown)
    assert (row["valid"], row["how"], set(row["scores"])) == (False, "none", {None})


def test_a_choice_that_hangs_on_a_bound_is_told():
    def respond(bound):
        def told(request):
            whole = judge(BIASED)(request)
            kept = tuple(each if place // 4 < 2 else None for place, each in enumerate(whole.options))
            return replace(whole, options=kept, bound=bound)

        return told

    shown_view = view(selector="label_probability", orders="drawn")
    [sure] = rows(shown_view, [candidates(*NAMES)], respond(-9.0))
    [open_] = rows(shown_view, [candidates(*NAMES)], respond(-0.5))
    assert [row["scores"][2:] for row in (sure, open_)] == [[None, None]] * 2
    assert (sure["bounded"], open_["bounded"]) == (False, True)
    assert sure["chosen_sample"] == open_["chosen_sample"] == 0
    part = label_probabilities(Response("", "", "stop", 1, 0, None, options=(-1.0, None, None, None)), "A")
    assert (part.known[0], part.most[0]) == (pytest.approx(math.exp(-1)), 1)


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(st.sampled_from(NAMES), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    selector=st.sampled_from(["label_probability", "pairwise", "choose", "p_true", "expected_score"]),
    distinct=st.booleans(),
)
def test_preferences_follow_the_candidates_and_not_their_numbers(names, order, selector, distinct):
    """Where positions do not matter to the judge, or all are shown."""

    def respond(request):
        if selector == "choose":
            texts = [text.casefold() for text in shown(request)]
            best = max(range(len(texts)), key=lambda place: QUALITY[texts[place]])
            return Response(str(best + 1), request.prompt.text(), "stop", 9, 1, None)
        if selector in ("p_true", "expected_score"):
            good = QUALITY[shown(request)[0].casefold()] / 10
            if selector == "expected_score":
                return answered(request, [good / 9] * 9 + [1 - good])
            true_first = "(A) True" in request.prompt.query
            return answered(request, [good, 1 - good] if true_first else [1 - good, good])
        return judge()(request)

    orders = {"orders": "all"} if selector == "choose" else {}
    shown_view = view(selector=selector, distinct=distinct, ask="all", **orders)
    one = scores(shown_view, respond, names)
    other = scores(shown_view, respond, [names[place] for place in order])
    assert other == pytest.approx([one[place] for place in order])


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
