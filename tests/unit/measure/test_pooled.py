"""Many cells together: against formulas written out, and a joint test against enumeration."""

import itertools

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats

from selfincorrect.measure.pooled import joint_p, random_effects

SKILL, LOW, HIGH = [0.3, 0.1, 0.6, -0.1], [0.1, -0.2, 0.2, -0.4], [0.5, 0.4, 0.9, 0.2]


def test_random_effects_by_hand():
    row = random_effects(SKILL, LOW, HIGH)
    y, v = np.array(SKILL), ((np.array(HIGH) - LOW) / 3.919928) ** 2

    def excess(tau2):
        w = 1 / (v + tau2)
        return (w * (y - np.average(y, weights=w)) ** 2).sum() - (len(y) - 1)

    tau2 = optimize.brentq(excess, 0, 10)
    w = 1 / (v + tau2)
    mean = np.average(y, weights=w)
    se = np.sqrt((w * (y - mean) ** 2).sum() / (len(y) - 1) / w.sum())
    half, further = stats.t.ppf(0.975, 3) * se, stats.t.ppf(0.975, 2) * np.sqrt(tau2 + se**2)
    assert row["cells"] == 4
    assert (row["skill"], row["tau2"]) == pytest.approx((mean, tau2), abs=1e-6)
    assert (row["skill_low"], row["skill_high"]) == pytest.approx((mean - half, mean + half), abs=1e-6)
    ends = np.clip([mean - further, mean + further], -1, 1)
    assert (row["next_low"], row["next_high"]) == pytest.approx(tuple(ends), abs=1e-6)


@pytest.mark.parametrize(
    ("skill", "low", "high"),
    [([0.2, 0.2], [0.0, 0.0], [0.4, 0.4]), ([1.0, 1.0, 1.0], [1.0, 0.9, 1.0], [1.0, 1.0, 1.0])],
)
def test_cells_that_agree_have_no_variance_between_them(skill, low, high):
    row = random_effects(skill, low, high)
    assert row["skill"] == pytest.approx(skill[0])
    assert row["tau2"] == pytest.approx(0, abs=1e-9)
    assert row["next_low"] is None or len(skill) > 2
    assert all(value is None or np.isfinite(value) for value in row.values())


def cell(grades, chosen, shared=None, asked=None):
    names = [f"q{i}" for i in range(len(grades))]
    return pl.DataFrame(
        {
            "grades": grades, "chosen_grade": pl.Series(chosen, dtype=pl.Float64),
            "shared": pl.Series(shared or [None] * len(grades), dtype=pl.List(pl.Int32)),
            "asked": asked or names,
        }
    )  # fmt: skip


def test_joint_p_against_every_draw():
    cells = [
        cell([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]], [1.0, 1.0]),
        cell([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [1.0, 0.0, None]),
    ]
    pools = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 0]]  # the item that does not count is left out
    totals = [sum(each) for each in itertools.product(*pools)]
    assert joint_p(cells) == pytest.approx(np.mean([total >= 3 for total in totals]))


def test_joint_p_of_one_cell_twice_is_smaller():
    one = cell([[1.0, 0.0]] * 4, [1.0] * 4)
    assert joint_p([one]) == pytest.approx(2**-4)
    assert joint_p([one, one]) == pytest.approx(2**-8)
    three, shared = cell([[1.0, 0.0, 0.0]], [1.0]), cell([[1.0, 0.0, 0.0]], [0.5], [[0, 1]])
    assert joint_p([three, shared]) == pytest.approx(1 / 3 * 2 / 3)
    turns = cell([[1.0, 0.0]] * 2, [1.0] * 2, asked=["a", "a"])
    assert joint_p([turns]) == pytest.approx(0.5)
