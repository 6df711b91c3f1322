"""Tests, intervals and power against hand-computed values, enumeration, scipy and statsmodels."""

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.weightstats import DescrStatsW

from selfincorrect.measure import hypothesis as tests
from selfincorrect.measure import intervals, power
from selfincorrect.measure.totals import convolved, grid_step, on_grid, outcomes


@pytest.mark.parametrize(
    ("n01", "n10", "exact", "midp"),
    [
        (0, 0, 1.0, 0.5),
        (1, 0, 0.5, 0.25),
        (3, 1, 5 / 16, 5 / 16 - 4 / 32),
        (8, 2, 56 / 1024, 56 / 1024 - 45 / 2048),
    ],
)
def test_mcnemar(n01, n10, exact, midp):
    found = tests.mcnemar(n01, n10)
    assert found["exact"] == pytest.approx(exact)
    assert found["midp"] == pytest.approx(midp)
    z = (n01 - n10) / np.sqrt(n01 + n10) if n01 + n10 else 0
    assert found["asymptotic"] == pytest.approx(1 - stats.norm.cdf(z))
    assert found["as_printed"] == pytest.approx(0.5 * (1 - stats.norm.cdf(abs(z))))
    assert found["as_printed"] <= 0.25


def test_randomisation_by_enumeration():
    grades = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1.0]])
    chosen = np.array([1, 1, 0, 0.0])
    totals = [sum(each) for each in itertools.product(*grades)]
    expected = np.mean([total >= chosen.sum() for total in totals])
    assert tests.randomisation(grades, chosen) == pytest.approx(expected)


def test_randomisation_of_scores_by_enumeration():
    grades = np.array([[1, 5, 9, 9], [2, 2, 8, 4], [7, 7, 7, 7], [1, 2.5, 10, 3]])
    for chosen in ([9, 8, 7, 10.0], [1, 2, 7, 1], [5, 4, 7, 2.5], [9, 2, 7, 3]):
        totals = [sum(each) for each in itertools.product(*grades)]
        expected = np.mean([total >= sum(chosen) - 1e-9 for total in totals])
        assert tests.randomisation(grades, np.array(chosen)) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(2, 6), st.integers(0, 10**6), st.sampled_from([1, 2, 4]))
def test_randomisation_on_random_pools(count, k, seed, steps):
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 4, (count, k)) / steps
    chosen = grades[np.arange(count), rng.integers(0, k, count)]
    totals = np.array([sum(each) for each in itertools.product(*grades)])
    assert tests.randomisation(grades, chosen) == pytest.approx(np.mean(totals >= chosen.sum() - 1e-9))
    assert tests.randomisation(-grades, -chosen) == pytest.approx(np.mean(totals <= chosen.sum() + 1e-9))


def test_convolution_equals_scipys_poisson_binomial():
    rng = np.random.default_rng(3)
    values = (rng.random((1200, 4)) < 0.4).astype(int)
    varied = values[np.ptp(values, axis=1) > 0].astype(float)
    found = convolved(on_grid(outcomes(varied, np.ones(len(varied), int)), 1.0))
    found = np.concatenate([np.zeros((values.min(axis=1) == 1).sum()), found])
    known = stats.poisson_binom(values.mean(axis=1)).pmf(np.arange(len(found)))
    assert found == pytest.approx(known, abs=1e-13)


def test_normal_above_the_limit(monkeypatch):
    rng = np.random.default_rng(4)
    grades = rng.integers(1, 11, (400, 4)).astype(float)
    chosen = grades[np.arange(400), rng.integers(0, 4, 400)]
    exact = tests.randomisation(grades, chosen)
    z = (chosen.sum() - grades.mean(axis=1).sum()) / np.sqrt(grades.var(axis=1).sum())
    monkeypatch.setattr(tests, "EXACT_LIMIT", 10)
    assert tests.randomisation(grades, chosen) == pytest.approx(stats.norm.sf(z))
    assert exact == pytest.approx(stats.norm.sf(z), abs=0.01)
    assert exact != stats.norm.sf(z)


def test_scores_on_no_grid_are_drawn():
    rng = np.random.default_rng(4)
    grades = rng.random((6, 4)) ** 3
    chosen = grades[np.arange(6), rng.integers(0, 4, 6)]
    totals = np.array([sum(each) for each in itertools.product(*grades)])
    found = tests.randomisation(grades, chosen)
    assert found == pytest.approx(np.mean(totals >= chosen.sum() - 1e-9), abs=0.02)
    assert found == tests.randomisation(grades, chosen), "seeded"
    best = tests.randomisation(grades[:2], grades[:2].max(axis=1))
    assert best == pytest.approx(1 / 16, abs=0.01), "no smaller p is possible with two questions"


@pytest.mark.parametrize(("scale", "step"), [(1, 1), (2, 2), (0.5, 0.5), (1 / 7, 1 / 7)])
def test_grid_of_whole_steps(scale, step):
    grades = np.array([[1, 0, 0], [3, 1, 2]]) * scale
    assert grid_step(grades) == pytest.approx(step)
    assert grid_step(grades + np.array([[0.3], [0.7]])) == pytest.approx(step), "only differences count"
    assert grid_step(np.array([[0, np.sqrt(2)], [0, 1]])) is None


def test_mcnemar_against_scipy_and_statsmodels():
    for n01, n10 in [(9, 3), (30, 18), (4, 4), (2, 11)]:
        found = tests.mcnemar(n01, n10)
        assert found["exact"] == pytest.approx(
            stats.binomtest(n01, n01 + n10, 0.5, alternative="greater").pvalue
        )
        two_sided = statsmodels_mcnemar([[0, n01], [n10, 0]], exact=True).pvalue
        smaller = min(found["exact"], tests.mcnemar(n10, n01)["exact"])
        assert two_sided == pytest.approx(min(1.0, 2 * smaller))
        chi_square = statsmodels_mcnemar([[0, n01], [n10, 0]], exact=False, correction=False).pvalue
        assert 2 * min(found["asymptotic"], 1 - found["asymptotic"]) == pytest.approx(chi_square)


DIFFERENCES = np.array([3, -1, 2, 0, 4, 5, -2, 6, 0, 2.0])


@pytest.mark.parametrize("zeros", ["pratt", "wilcox"])
def test_wilcoxon_against_the_definition(zeros):
    values = DIFFERENCES if zeros == "pratt" else DIFFERENCES[DIFFERENCES != 0]
    ranks = stats.rankdata(np.abs(values))  # Pratt: zeros are ranked, then left out
    signed = (ranks * (values > 0)).sum()
    kept = ranks[values != 0]
    z = (signed - kept.sum() / 2) / np.sqrt((kept**2).sum() / 4)
    assert tests.wilcoxon(DIFFERENCES, zeros) == pytest.approx(stats.norm.sf(z))
    assert tests.wilcoxon(np.zeros(5), zeros) == 1


def test_wilcoxon_is_near_the_exact_sign_flip_test():
    rng = np.random.default_rng(8)
    values = rng.normal(0.3, 1, 14)
    ranks = stats.rankdata(np.abs(values))
    totals = [(ranks * np.array(signs)).sum() for signs in itertools.product([0, 1], repeat=14)]
    exact = np.mean(np.array(totals) >= (ranks * (values > 0)).sum())
    assert tests.wilcoxon(values, "pratt") == pytest.approx(exact, abs=0.02)


def test_slots_against_the_formula():
    counts = np.array([30, 10, 20, 20])
    assert tests.uniform_slots(counts) == pytest.approx(stats.chi2.sf(((counts - 20) ** 2 / 20).sum(), 3))
    assert tests.uniform_slots(np.zeros(4, dtype=int)) == 1


def test_equivalence_against_statsmodels():
    values = np.random.default_rng(5).normal(0.002, 0.05, 300)
    clusters = np.arange(300)
    known, _, _ = DescrStatsW(values).ttost_mean(-0.01, 0.01)
    se = intervals.clustered_se(values, clusters) * np.sqrt(300 / 299)  # statsmodels divides by n − 1
    assert tests.equivalence(values.mean(), (se, se), 300, 0.01) == pytest.approx(known)
    assert tests.equivalence(0.0, (0.0, 0.1), 300, 0.01) == 1
    # Within the margin at 5 % exactly where the 90 % interval lies inside it.
    half = stats.t.ppf(0.95, 299) * se
    assert tests.equivalence(0.01 - half, (se, se), 300, 0.01) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("better", "worse", "equivalent", "expected"),
    [
        (0.01, 0.99, 0.01, "better"),
        (0.99, 0.01, 0.90, "worse"),
        (0.30, 0.80, 0.04, "equivalent"),
        (0.30, 0.80, 0.20, "undecided"),
        (0.05, 0.96, 1.00, "better"),
    ],
)
def test_verdict(better, worse, equivalent, expected):
    assert tests.verdict(better, worse, equivalent) == expected


def test_adjusted_by_hand():
    values = [0.01, 0.04, 0.03, 0.5]
    # Holm: 4·.01, then 3·.03, then max(2·.04, previous), then 1·.5. Benjamini-Hochberg: p·4/rank, smallest
    # from above.
    assert tests.adjusted(values, "holm") == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert tests.adjusted(values, "fdr_bh") == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert tests.adjusted(values, "fdr_bh") == pytest.approx(stats.false_discovery_control(values))
    assert tests.adjusted([], "holm") == []


def test_clustered_standard_error():
    values, clusters = np.array([1, 0, 1, 1.0]), np.array(["a", "a", "b", "b"])
    # mean 3/4; sums of deviations 1/4 - 3/4 = -1/2 and +1/2
    assert intervals.clustered_se(values, clusters) == pytest.approx(np.sqrt(0.5) / 4)
    single = np.array(list("abcd"))
    assert intervals.clustered_se(values, single) == pytest.approx(values.std() / 2)


def test_scores_without_spread_get_wilsons_interval():
    clusters = np.arange(12)
    low, high = intervals.score_interval(np.zeros(12), clusters)
    assert low == 0
    assert high == pytest.approx(1.959964**2 / (12 + 1.959964**2), rel=1e-4)


def test_ratio_interval_is_seeded_and_covers_the_ratio():
    rng = np.random.default_rng(1)
    bottom = rng.random(200)
    top = 0.3 * bottom + rng.normal(0, 0.05, 200)
    low, high = intervals.ratio_interval(top, bottom, np.arange(200), 5)
    assert low < top.sum() / bottom.sum() < high
    assert (low, high) == intervals.ratio_interval(top, bottom, np.arange(200), 5)


def test_clustered_intervals_against_statsmodels():
    rng = np.random.default_rng(6)
    clusters = np.repeat(np.arange(40), 2)
    values = rng.normal(0, 1, 80) + np.repeat(rng.normal(0, 1, 40), 2)
    fit = sm.OLS(values, np.ones(80)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}, use_t=True
    )
    assert intervals.clustered_se(values, clusters) == pytest.approx(fit.bse[0])
    assert intervals.interval(values, clusters) == pytest.approx(tuple(fit.conf_int()[0]))


def test_no_interval_without_spread():
    same, clusters = np.full(6, 0.5), np.arange(6)
    assert np.isnan(intervals.interval(same, clusters)).all()
    low, high = intervals.score_interval(same, clusters)
    assert low < 0.5 < high
    assert np.isnan(intervals.ratio_interval(same, same, clusters, 1)).all()


def test_share_interval_is_wilsons():
    z = stats.norm.ppf(0.975)
    share, n = 0.3, 50
    centre, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    expected = ((centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n))
    assert intervals.share_interval(15, 50) == pytest.approx(expected)
    assert np.isnan(intervals.share_interval(0, 0)).all()


def test_ratio_interval_against_scipys_bootstrap():
    rng = np.random.default_rng(9)
    bottom = np.where(rng.random(300) < 0.3, rng.choice([0.25, 0.5, 0.75], 300), 0.0)
    top = bottom * rng.choice([-1, 0, 1], 300, p=[0.2, 0.4, 0.4])
    found = intervals.ratio_interval(top, bottom, np.arange(300), 5)
    known = stats.bootstrap(
        (top, bottom), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, method="percentile",
        n_resamples=10_000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert found == pytest.approx((known.low, known.high), abs=0.015)


def test_score_interval_of_grades_beyond_one_is_not_cut():
    values = np.array([9.0, 10, 10, 8])
    assert intervals.score_interval(values, np.arange(4)) == intervals.interval(values, np.arange(4))


def test_power_against_the_exact_binomial():
    # 400 mixed pairs: the total is binomial under H0 and under a chooser of some skill.
    grades = power.planned(1600, 0.25)
    pool = power.moments(grades)
    critical = stats.binom.isf(0.05, 400, 0.5)  # the smallest total with P(X > total) ≤ 5 %
    for skill in (0.0, 0.05, 0.1, 0.2):
        exact = stats.binom.sf(critical, 400, 0.5 + skill / 2)
        assert power.power(pool, skill) == pytest.approx(exact, abs=0.02)


def test_smallest_effect():
    grades = power.planned(1319, 0.25, k=4)
    effect = power.smallest_effect(grades)
    pool = power.moments(grades)
    assert power.power(pool, effect * 1319 / pool.headroom) == pytest.approx(0.8)
    # By the plain formula (z₀.₉₅ + z₀.₈₀) SE, which neglects the test's steps and the variance under the
    # effect.
    assert effect == pytest.approx((1.644854 + 0.841621) * np.sqrt(pool.null_variance) / 1319, rel=0.1)
    assert power.smallest_effect(np.ones((5, 4))) is None
    assert power.smallest_effect(power.planned(3, 1.0)) is None, "three coins show nothing at 5 %"
    assert power.power(power.moments(np.ones((5, 4))), 0.5) == 0
    assert power.smallest_effect(2 * grades) == pytest.approx(2 * effect), "in the grades' own unit"


def test_questions_needed_agree_with_the_power():
    needed = power.questions_needed(0.01, 0.25)
    pool = power.moments(power.planned(needed, 0.25))
    assert power.power(pool, 0.01 * needed / pool.headroom) == pytest.approx(0.8, abs=0.001)
    with pytest.raises(ValueError, match="beyond the headroom"):
        power.questions_needed(0.2, 0.25)


def test_power_on_the_command_line(capsys):
    power.main(["1319", "--mixed", "0.25", "--k", "4"])
    assert "1.56 points" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        power.main(["1319", "--mixed", "2"])
