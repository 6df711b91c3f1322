"""The conditional logit against a logistic regression, and where its effects are known."""

import numpy as np
import pytest
from scipy import optimize

from selfincorrect.measure.logit import logit
from tests.support.transcripts import F, W


def test_logit_of_two_answers():
    row = logit(F, W, np.ones_like(F))
    assert row["logit_grade"] == pytest.approx(1.048, abs=5e-4)
    assert row["logit_agreement"] is None
    # The same as a logistic regression of which of the two is picked on the difference of their grades.
    first, gap = W[:, 0], F[:, 0] - F[:, 1]
    found = optimize.minimize(
        lambda e: np.logaddexp(0, -(2 * first - 1) * (e[0] + e[1] * gap)).sum(), np.zeros(2)
    )
    assert row["logit_grade"] == pytest.approx(found.x[1], abs=1e-3)
    se = np.sqrt(found.hess_inv[1, 1])
    assert row["logit_grade_high"] - row["logit_grade"] == pytest.approx(1.96 * se, rel=0.05)


def test_logit_tells_grades_from_agreement_and_stays_finite():
    rng = np.random.default_rng(5)
    f = (rng.random((600, 3)) < 0.5).astype(float)
    agreeing = np.where(rng.random((600, 1)) < 0.5, [[2.0, 2.0, 1.0]], [[1.0, 2.0, 2.0]])
    utility = np.array([0.5, 0.0, 0.0]) + 0.8 * f + 1.2 * np.log(agreeing)
    chosen = (utility + rng.gumbel(size=(600, 3))).argmax(axis=1)
    row = logit(f, np.eye(3)[chosen], agreeing)
    assert row["logit_grade_low"] < 0.8 < row["logit_grade_high"]
    assert row["logit_agreement"] == pytest.approx(1.2, abs=0.5)
    perfect = logit(np.tile([1.0, 0.0], (50, 1)), np.tile([1.0, 0.0], (50, 1)), np.ones((50, 2)))
    assert 1 < perfect["logit_grade"] < 20
    assert logit(np.ones((4, 2)), np.ones((4, 2)) / 2, np.ones((4, 2)))["logit_grade"] is None
