"""Selectors that read probabilities of given answers, on scripted judges."""

import math
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.discriminate.label_scores import ended, label_probabilities, spelled
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.selectors.pairwise import RIDGE, strengths
from selfincorrect.discriminate.selectors.registry import asking, get_selector, names
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.variant import Variant
from tests.support.scoring import (
    NAMES,
    QUALITY,
    answered,
    candidates,
    judge,
    question,
    rows,
    scores,
    shown,
    view,
)

BIASED = (8.0, 1.0, 2.0, 0.5)
SCORING = [name for name in names() if get_selector(name).asks and asking(Variant(selector=name)).scoring]


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
    reasons = iter(["context", "error"] + ["context"] * 99)  # a failure is asked again, so that it is told
    [row] = rows(
        view(selector=selector),
        [candidates(*NAMES)],
        lambda request: Response(None, "p", next(reasons), 9, 0, None),
    )
    assert row["how"] == "error"
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
