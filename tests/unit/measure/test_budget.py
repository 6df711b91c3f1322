"""The front, bands, and where one way overtakes another."""

import numpy as np
import pytest

from selfincorrect.measure.budget import band, front, overtakes, resampled


def test_the_front_is_what_nothing_cheaper_beats():
    assert front([1, 2, 2, 3, 4], [0.5, 0.4, 0.6, 0.6, 0.7]) == [True, False, True, False, True]
    assert front([3, None, 1], [0.9, 0.1, 0.5]) == [True, False, True]
    assert front([1, 1, 2], [0.5, 0.5, 0.5]) == [True, False, False], "of equal ones the first"


def overtaken(costs, scores, other_costs=(1, 2, 4), other_scores=(0.5, 0.6, 0.7)):
    [found] = overtakes(
        *(np.array([each], dtype=float) for each in (costs, scores, other_costs, other_scores))
    )
    return found


@pytest.mark.parametrize(
    ("costs", "scores", "found"),
    [
        ([1, 3], [0.5, 0.75], 3),  # at 3 votes have two candidates, and at 4 no more than it
        ([1, 3], [0.5, 0.65], np.inf),  # at 4 votes are ahead again
        ([1, 3], [0.5, 0.6], np.inf),  # a tie is no lead
        ([1, 2.5, 4], [0.5, 0.65, 0.7], np.inf),  # ahead once, level at the end
        ([1, 2.5, 4], [0.5, 0.65, 0.75], 2.5),
        ([1, 5], [0.5, 0.9], np.inf),  # more than the votes of the whole pool take: not seen
        ([1, 4], [0.5, 0.65], np.inf),
        ([0.5, 3], [0.9, 0.65], 1),  # for less than a single answer takes there is nothing to compare with
        ([4, 1, 2], [0.4, 0.5, 0.8], 2),  # in any order, and who has more to spend need not spend it
    ],
)
def test_a_way_overtakes_from_where_it_stays_ahead(costs, scores, found):
    assert overtaken(costs, scores) == found


def test_fewer_votes_may_be_better():
    assert overtaken([1, 4], [0.5, 0.62], other_scores=(0.5, 0.6, 0.3)) == 4
    assert overtaken([1, 4], [0.5, 0.55], other_scores=(0.5, 0.6, 0.3)) == np.inf


def test_votes_that_come_back_after_its_last_point_are_not_overtaken():
    votes = {"other_costs": (1, 2, 3, 4, 8), "other_scores": (0.5, 0.6, 0.65, 0.65, 0.9)}
    assert overtaken([1, 2, 3, 4], [0.5, 0.6, 0.66, 0.66], **votes) == np.inf
    assert overtaken([1, 2, 3, 4], [0.5, 0.6, 0.66, 0.91], **votes) == 3


def test_resamples_are_of_clusters_and_seeded():
    values, clusters = np.array([[1.0], [0.0], [1.0], [0.0]]), np.array(["a", "a", "b", "b"])
    draws = resampled(clusters, 7)
    assert draws.means(values) == pytest.approx(np.full((len(draws.weights), 1), 0.5))  # each cluster's mean
    assert (resampled(clusters, 7).weights == draws.weights).all()
    low, high = band(draws.means(values))
    assert np.isnan([low, high]).all()  # no spread to judge by


def test_a_band_covers_what_a_t_interval_covers():
    values = (np.arange(100) % 4 == 0).astype(float)[:, None]
    low, high = band(resampled(np.arange(100), 1).means(values))
    assert (low[0], high[0]) == pytest.approx((0.25 - 1.96 * 0.0433, 0.25 + 1.96 * 0.0433), abs=0.015)
