"""Net and luck, skill, evidence and ties against published check values, brute force, and choosers whose
skill is known.
"""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from selfincorrect.measure.cell import cell
from selfincorrect.measure.discernment import sentence
from selfincorrect.measure.hypothesis import randomisation
from selfincorrect.measure.net import net_of_position, permuted, spread
from selfincorrect.measure.positions import index_dependence, picks_of
from selfincorrect.measure.skill import as_difference, evidence, skill_interval
from selfincorrect.measure.totals import on_grid, results, upper_tail
from tests.support.transcripts import MIXED, F, W


def table(grades, chosen, shared=None, selector="choose", orders=None):
    count, k = np.shape(grades)
    names = [f"q{i}" for i in range(count)]
    return pl.DataFrame(
        {
            "question_id": names, "asked": names, "cluster": names, "grade": np.asarray(grades,
            float).tolist(),
            "extracted": [[f"{i}-{g}" for g in row] for i, row in enumerate(grades)],
            "pool": np.asarray(grades, float).tolist(),
            "order": orders or [list(range(k))] * count, "chosen_sample": pl.Series(chosen, dtype=pl.Int32),
            "shared": pl.Series(shared or [None] * count, dtype=pl.List(pl.Int32)), "selector": selector,
            "how": "strict",
        }
    )  # fmt: skip


def test_check_values_of_net_skill_and_evidence():
    found = net_of_position(F, W, np.arange(len(F)), 7)
    assert (len(F), MIXED.sum()) == (408, 327)
    assert (F * W).sum() / 408 - F.mean() == pytest.approx(0.192402, abs=5e-7)
    assert found["net"] == pytest.approx(0.190420, abs=5e-7)
    assert found["net_se"] == pytest.approx(0.020093, abs=5e-7)
    assert found["luck"] == pytest.approx(0.001982, abs=5e-7)
    right = (F * W).sum(axis=1)[MIXED]
    _, low, high, *_ = skill_interval(F, (F * W).sum(axis=1), np.ones(408, int))
    assert (low, high) == pytest.approx((0.381, 0.571), abs=5e-4)
    assert evidence(right, np.ones(327, int), 2)[0] == pytest.approx(37.18, abs=5e-3)


def test_far_tails_keep_their_size():
    coins = np.tile([1.0, 0.0], (60, 1))
    assert randomisation(coins, np.ones(60)) == pytest.approx(0.5**60, rel=1e-12)
    assert randomisation(coins, np.array([1.0] * 58 + [0.0] * 2)) == pytest.approx(
        stats.binom.sf(57, 60, 0.5), rel=1e-9
    )
    many = on_grid([(results(np.array([0.0, 0.0, 0.0, 1.0])), 1300)], 1.0)
    assert upper_tail(many, 900) == pytest.approx(stats.binom.sf(899, 1300, 0.25), rel=1e-9)


def test_a_perfect_chooser_is_no_luck_of_a_position():
    """Right on the 8 % mixed questions, and "1" elsewhere."""
    rng = np.random.default_rng(3)
    grades = np.ones((1319, 4))
    places = rng.choice(1319, 105, replace=False)
    grades[places] = 0
    right = rng.integers(0, 4, 105)
    grades[places, right] = 1
    chosen = np.zeros(1319, int)
    chosen[places] = right
    row = cell(table(grades, chosen.tolist()), 4, 7)
    assert row["top_slot_share"] > 0.9
    assert (row["nearly_constant"], row["informative"], row["verdict"]) == (False, True, "better")
    assert "position 1" not in row["note"]
    assert row["skill"] == 1
    assert row["finding"].startswith("picks better than drawing: skill 1.00 [0.9")


def test_a_tie_is_a_draw_of_as_many():
    """Of 4 candidates with one right: shared by two, the mean is right half the time, by 1/2; brute force
    over all subsets.
    """
    grades, ties = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0.0]]), np.array([2, 1, 3])
    each = [
        [np.mean(subset) for subset in itertools.combinations(row, tied)]
        for row, tied in zip(grades, ties, strict=True)
    ]
    assert [len(values) for values in each] == [6, 4, 4]
    totals = [sum(values) for values in itertools.product(*each)]
    for chosen in ([0.5, 1, 2 / 3], [0, 1, 1 / 3], [0.5, 0, 2 / 3]):
        expected = np.mean([total >= sum(chosen) - 1e-9 for total in totals])
        assert randomisation(grades, np.array(chosen), ties) == pytest.approx(expected)
    assert randomisation(grades, grades.mean(axis=1), np.array([4, 4, 4])) == 1, (
        "a tie of all matters nowhere"
    )


@pytest.mark.parametrize(("grades", "tied"), [([1, 0, 0, 1, 0, 0], 3), ([1, 2, 2, 5, 1], 2), ([0, 0.5], 1)])
def test_what_a_tie_may_give_is_counted_not_listed(grades, tied):
    subsets = [round(float(np.mean(each)), 12) for each in itertools.combinations(grades, tied)]
    found = results(np.array(grades, dtype=float), tied)
    told = dict(zip(np.round(found.values, 12), found.chances, strict=True))
    assert told == pytest.approx({each: subsets.count(each) / len(subsets) for each in subsets})
    assert (found.mean, found.variance) == pytest.approx((np.mean(subsets), np.var(subsets)))


def test_votes_of_hundreds_are_tested_in_no_time():
    """Of 256 candidates 100 share a vote: their subsets are beyond listing."""
    rng = np.random.default_rng(4)
    grades = (rng.random((40, 256)) < rng.random((40, 1))).astype(float)
    ties = rng.integers(2, 200, 40)
    draws = [rng.permutation(row)[:tied].mean() for row, tied in zip(grades, ties, strict=True)]
    assert 0.001 < randomisation(grades, np.array(draws), ties) < 0.999
    better = np.array([np.sort(row)[-tied:].mean() for row, tied in zip(grades, ties, strict=True)])
    assert randomisation(grades, better, ties) < 0.001
    scored = np.round(grades + rng.random((40, 256)), 2)
    assert results(scored[0], 100).mean == pytest.approx(scored[0].mean(), abs=0.01)


def test_a_constant_score_does_not_choose():
    grades = [[1, 0], [0, 1]] * 30
    row = cell(table(grades, [0] * 60, shared=[[0, 1]] * 60, selector="score"), 2, 7)
    assert (row["dg_diff"], row["tied_mixed"], row["informative"], row["verdict"]) == (
        0,
        1,
        False,
        "undecided",
    )
    assert "does not choose" in row["note"]


def test_scores_of_nine_and_ten_have_their_size_and_power():
    """Two scores that carry nothing: many ties. The test rejects about 5 % of the time; with some
    knowledge it finds it.
    """
    rng, rejected, found = np.random.default_rng(5), 0, 0
    for _ in range(300):
        grades = np.zeros((60, 4))
        grades[np.arange(60), rng.integers(0, 4, 60)] = 1
        blind = rng.random((60, 4)) < 0.6
        for scores in (blind, blind | ((grades == 1) & (rng.random((60, 4)) < 0.6))):
            best = scores == scores.max(axis=1, keepdims=True)
            p = randomisation(grades, (grades * best).sum(axis=1) / best.sum(axis=1), best.sum(axis=1))
            rejected, found = (
                rejected + (scores is blind and p <= 0.05),
                found + (scores is not blind and p <= 0.05),
            )
    assert 0.02 <= rejected / 300 <= 0.085
    assert found / 300 > 0.7


def test_a_preference_for_a_position_is_luck_and_no_net():
    """The best stands first in the mixed questions, and the first is picked in four of five, whatever
    stands there.
    """
    rng = np.random.default_rng(1)
    grades = np.zeros((400, 4))
    grades[:120, 0] = 1
    chosen = np.where(rng.random(400) < 0.8, 0, rng.integers(1, 4, 400))
    row = cell(table(grades, chosen.tolist()), 4, 7)
    assert row["p_randomisation"] < 1e-6, "uniform choice would not"
    assert row["p_net"] > 0.05
    assert row["luck"] > 0.1
    assert row["verdict"] == "undecided"


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 4), st.integers(0, 10**6))
def test_permutations_by_brute_force(n, k, seed):
    rng = np.random.default_rng(seed)
    f, slots = rng.integers(0, 2, (n, k)).astype(float), rng.integers(0, k, n)
    totals = np.array([f[np.arange(n), list(order)].sum() for order in itertools.permutations(slots)])
    observed = f[np.arange(n), slots].sum()
    w = np.eye(k)[slots]
    assert permuted(f, w, 1) == pytest.approx(((totals >= observed).mean(), (totals <= observed).mean()))
    assert spread(f, w) == pytest.approx(max(totals.std(), 1e-12), abs=1e-9)


def test_seeded_permutations_and_the_normal_form_agree():
    rng = np.random.default_rng(2)
    f, w = rng.integers(0, 2, (99, 3)).astype(float), np.eye(3)[rng.integers(0, 3, 99)]
    drawn = permuted(f, w, 1)[0]
    z = ((f * w).sum() - 99 * w.mean(axis=0) @ f.mean(axis=0)) / spread(f, w)
    assert drawn == permuted(f, w, 1)[0]
    assert drawn == pytest.approx(stats.norm.sf(z), abs=0.06)


def test_the_interval_of_skill_on_a_grid_of_exact_tails():
    grades, ones, right = np.tile([1.0, 0, 0, 0], (12, 1)), np.ones(12, int), 7
    _, low, high, *room = skill_interval(grades, np.array([1.0] * 7 + [0.0] * 5), ones)
    assert room == [12 * 0.75, 12 * 0.25]

    def mid_p(s):
        p = 0.25 + 0.75 * s if s >= 0 else 0.25 * (1 + s)
        return stats.binom.cdf(right - 1, 12, p) + 0.5 * stats.binom.pmf(right, 12, p)

    grid = np.linspace(-1, 1, 20_001)
    inside = [s for s in grid if 0.025 <= mid_p(s) <= 0.975]
    assert (low, high) == pytest.approx((inside[0], inside[-1]), abs=2e-4)
    assert (as_difference(0.5, 0.4, 0.2), as_difference(-0.5, 0.4, 0.2)) == (0.2, -0.1)
    assert skill_interval(np.ones((5, 2)), np.ones(5), np.ones(5, int)) is None


def test_evidence_by_numerical_integration():
    best, number = np.array([1.0, 0, 0.5, 1, 1]), np.array([1, 2, 1, 1, 3])
    found, largest = evidence(best, number, 4)
    expected, _ = integrate.quad(lambda s: np.prod((1 - s) + s * 4 * best / number), 0, 1)
    assert found == pytest.approx(np.log(expected))
    assert largest >= found
    assert evidence(best[:0], number[:0], 4) == (0, 0)


def test_evidence_only_where_positions_cannot_be_taken_for_skill():
    grades, rng = [[1, 0], [0, 1]] * 20, np.random.default_rng(0)
    fixed = cell(table(grades, [0, 1] * 20), 2, 7)
    assert (fixed["ln_e"], fixed["ln_e_max"]) == (None, None)
    orders = [rng.permutation(2).tolist() for _ in range(40)]
    turned = cell(table(grades, [0, 1] * 20, orders=orders), 2, 7)
    # ∫ (1 + s)^40 ds = (2^41 − 1)/41
    assert turned["ln_e"] == pytest.approx(np.log((2**41 - 1) / 41))
    assert cell(table(grades, [0, 1] * 20, selector="score"), 2, 7)["ln_e"] == pytest.approx(turned["ln_e"])


def test_net_knows_the_slots_as_shown():
    """The right sample stands anywhere; picks follow it: net is all, whatever the order of samples."""
    rng = np.random.default_rng(4)
    right = rng.integers(0, 3, 60)
    orders = [rng.permutation(3).tolist() for _ in range(60)]
    row = cell(table(np.eye(3)[right], right.tolist(), orders=orders), 3, 7)
    assert row["net"] + row["luck"] == pytest.approx(2 / 3)
    assert abs(row["luck"]) < 0.05
    assert row["p_net"] == 1e-4, "no permutation of 9,999 does as well"


def test_questions_that_a_rule_leaves_tied_say_nothing_of_its_skill():
    """Of 30 mixed questions 10 are tied: of the other 20 all are right, or all wrong, or half."""
    grades = [[1, 0]] * 15 + [[0, 1]] * 15
    shared = ([[0, 1]] * 5 + [None] * 10) * 2
    for wrong, skill in ((0, 1), (20, -1), (10, 0)):
        chosen, left = [], wrong
        for row, tied in zip(grades, shared, strict=True):
            right = row.index(1)
            chosen.append(right if tied or left <= 0 else 1 - right)
            left -= tied is None
        row = cell(table(grades, chosen, shared=shared, selector="longest"), 2, 7)
        assert row["skill"] == pytest.approx(skill)
        assert row["skill_low"] <= skill <= row["skill_high"]
        assert row["exact_low"] <= row["dg_diff"] + 1e-12
        assert row["dg_diff"] == pytest.approx(skill * 20 * 0.5 / 30)
        assert row["exact_high"] >= row["dg_diff"] - 1e-12


def test_the_sentence_says_what_the_verdict_rests_on():
    known = {"informative": True, "unit": "percent", "skill": 0.03, "skill_low": -0.3, "skill_high": 0.4}
    known |= {"luck": -0.02, "mixed_questions": 28, "tied_mixed": 0.0, "p_worse": 0.8}
    better = sentence({**known, "verdict": "better", "p_randomisation": 0.01}, "percent")
    assert better == (
        "picks better than drawing: skill 0.03 [-0.30, 0.40]; position alone would have given -2.0 points; "
        "28 mixed questions"
    )
    net = sentence({**known, "verdict": "better", "p_randomisation": 0.4}, "percent")
    assert net.startswith(
        "picks better than its preference for positions would, and not shown better than drawing: skill"
    )
    worse = sentence({**known, "verdict": "worse", "p_randomisation": 0.4}, "percent")
    assert worse.startswith("picks worse than its preference for positions would")
    vote = {**known, "verdict": "better", "p_randomisation": 0.0, "luck": None, "tied_mixed": 0.25}
    assert sentence(vote, "percent").endswith("; 28 mixed questions, 25% of them tied")
    assert sentence({**vote, "informative": False}, "percent") == ""


def test_answers_agree_by_normal_form_in_the_order_shown():
    made = table([[1, 0, 0]], [0], orders=[[2, 0, 1]]).with_columns(extracted=pl.Series([["a", "b", "a"]]))
    assert picks_of(made, 3).agreeing.tolist() == [[2, 2, 1]]
    none = made.with_columns(extracted=pl.Series([[None, None, "a"]], dtype=pl.List(pl.String)))
    assert picks_of(none, 3).agreeing.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("count", [4, 40])
def test_index_dependence_against_all_permutations(count):
    rng = np.random.default_rng(2)
    f = (rng.random((count, 3)) < [0.8, 0.5, 0.3]).astype(float)
    p = index_dependence(f, 1)
    if count == 4:
        kept = [list(set(itertools.permutations(row))) for row in f]
        spread = [np.sum(each, axis=0).var() for each in itertools.product(*kept)]
        assert p == pytest.approx(np.mean(np.array(spread) >= f.sum(axis=0).var() - 1e-9), abs=0.05)
    else:
        drawn = [rng.permuted(f, axis=1).sum(axis=0).var() for _ in range(4000)]
        assert p == pytest.approx(np.mean(np.array(drawn) >= f.sum(axis=0).var() - 1e-9), abs=0.02)
    assert index_dependence(np.ones((3, 2)), 1) is None
