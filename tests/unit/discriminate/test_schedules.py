"""Comparisons in rounds: how many, with whom, and what comes of them."""

from math import ceil, log2
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.discriminate.schedules import SCHEDULES, bracket, following, mean_chances, most
from tests.support.scoring import NAMES, QUALITY, candidates, judge, rows, scores, view


def played(schedule, strength, field):
    """All comparisons of a schedule, round by round, judged by strength."""
    rounds, made = [], []

    def chance(one, other):
        if (one, other) not in made and (other, one) not in made:
            return 0.5
        return strength[one] / (strength[one] + strength[other])

    while fresh := following(schedule, field, made, chance):
        rounds.append(fresh)
        made += fresh
    return rounds, made, chance


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SCHEDULES), st.integers(2, 12), st.integers(0, 10**6))
def test_no_schedule_compares_more_than_it_may_or_the_same_twice(schedule, count, seed):
    strength, field = [1.0 + place for place in range(count)], Random(seed).sample(range(count), count)
    rounds, made, _ = played(schedule, strength, field)
    assert len(made) <= most(schedule, count)
    assert len(set(made)) == len(made)
    assert all(one != other for one, other in made)
    assert {name for pair in made for name in pair} == set(field)
    if schedule == "knockout":
        assert len(made) == 2 * (count - 1)
        assert len(rounds) == ceil(log2(count))
    if schedule == "pivot":
        assert sorted(one for one, _ in rounds[0]) == sorted(other for _, other in rounds[0]) == sorted(field)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SCHEDULES), st.integers(2, 12), st.integers(0, 10**6))
def test_the_strongest_wins_however_it_is_found(schedule, count, seed):
    strength, field = [2.0**place for place in range(count)], Random(seed).sample(range(count), count)
    _, made, chance = played(schedule, strength, field)
    found = (bracket if schedule == "knockout" else mean_chances)(field, made, chance)
    best = max(found, key=found.__getitem__)
    if schedule in ("knockout", "round_robin"):
        assert best == count - 1
        assert list(found.values()).count(found[best]) == 1
    else:  # who met weaker ones only may stand as high
        assert found[count - 1] > 0.6


def test_a_bracket_by_hand():
    strength = [1.0, 4.0, 3.0, 2.0, 5.0]
    rounds, made, chance = played("knockout", strength, [0, 1, 2, 3, 4])
    assert [[pair for pair in each if pair[0] < pair[1]] for each in rounds] == [
        [(0, 1), (2, 3)], [(1, 2)], [(1, 4)],
    ]  # fmt: skip
    assert bracket([0, 1, 2, 3, 4], made, chance) == {0: 0, 1: 2, 2: 1, 3: 0, 4: 3}


def test_neighbours_by_mean_meet_and_nobody_twice():
    rounds, _, _ = played("swiss", [1.0, 2.0, 4.0, 8.0], [0, 1, 2, 3])
    met = [{frozenset(pair) for pair in each} for each in rounds]
    assert met == [{frozenset((0, 1)), frozenset((2, 3))}, {frozenset((1, 3)), frozenset((0, 2))}]


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_schedules_ask_less_and_find_the_best(schedule):
    shown_view = view(selector="pairwise", schedule=schedule)
    [row] = rows(shown_view, [candidates(*NAMES)], judge())
    assert row["calls"] <= most(schedule, 4) < most("round_robin", 4)
    assert NAMES[row["chosen_sample"]] == "Bravo"
    assert len(row["readings"]) == row["calls"]
    for reading in row["readings"]:
        one, other = (QUALITY[NAMES[sample].casefold()] for sample in reading["samples"])
        assert reading["shares"] == pytest.approx([one / (one + other), other / (one + other)])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_order_of_samples_does_not_matter(schedule):
    shown_view = view(selector="pairwise", schedule=schedule)
    found = dict(zip(NAMES, scores(shown_view, judge((3.0, 1.0))), strict=True))
    for names in (NAMES[::-1], NAMES[2:] + NAMES[:2]):
        again = dict(zip(names, scores(shown_view, judge((3.0, 1.0)), names), strict=True))
        assert again == pytest.approx(found)


def test_equal_candidates_share_a_schedule_too():
    """Where a judge cannot tell two apart, a mean is shared; a bracket has one winner by its seeded draw."""
    even = judge(quality=dict.fromkeys(QUALITY, 1.0))
    for schedule in ("round_robin", "swiss", "pivot"):
        [row] = rows(view(selector="pairwise", schedule=schedule), [candidates(*NAMES)], even)
        assert row["shared"] == [0, 1, 2, 3]
    [row] = rows(view(selector="pairwise", schedule="knockout"), [candidates(*NAMES)], even)
    assert sorted(row["scores"]) == [0, 0, 1, 2]
