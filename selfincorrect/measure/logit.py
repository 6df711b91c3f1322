"""What draws picks: a conditional logit of grade, positions and how many agree, beside net and luck.

A model picks slot s of question i with probability ∝ exp(α_s + β f_is + γ ln a_is): f is the grade of the
candidate in the slot, and a the number of the candidates shown that have its normal form (McFadden 1974).
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from selfincorrect.measure.intervals import LEVEL, Array
from selfincorrect.measure.scores import Row

WIDTH = 10.0  # standard deviation of a normal prior on all effects, which keeps them finite under separation
COLUMNS = ("logit_grade", "logit_grade_low", "logit_grade_high", "logit_agreement")


def logit(f: Array, w: Array, agreeing: Array) -> Row:
    """β with its 95 % interval, and γ, of what was picked: grades `f`, shares of the pick `w` and numbers
    `agreeing` are [n, k] by slot.

    None where grades do not differ within questions; γ too where `agreeing` never does. The interval is
    Wald's, from the curvature of the penalised likelihood.
    """
    row: Row = dict.fromkeys(COLUMNS)
    known = np.ptp(f, axis=1) > 1e-12
    if not known.any():
        return row
    n, k = f.shape
    effects = [np.broadcast_to(np.eye(k)[slot], (n, k)) for slot in range(1, k)]
    votes = np.log(agreeing)
    with_votes = bool((np.ptp(votes, axis=1) > 1e-12).any())
    x = np.stack([f, *([votes] if with_votes else []), *effects], axis=2)
    found = scipy.optimize.minimize(_loss, np.zeros(x.shape[2]), (x, w), jac=True, method="BFGS")
    spread = np.sqrt(np.diag(np.linalg.inv(_curvature(found.x, x, w))))
    half = float(scipy.stats.norm.ppf((1 + LEVEL) / 2)) * float(spread[0])
    beta = float(found.x[0])
    row |= {"logit_grade": beta, "logit_grade_low": beta - half, "logit_grade_high": beta + half}
    return row | {"logit_agreement": float(found.x[1]) if with_votes else None}


def _loss(effects: Array, x: NDArray[np.float64], w: Array) -> tuple[float, Array]:
    """The penalised negative logarithm of the likelihood, and its gradient."""
    utility = x @ effects
    p = scipy.special.softmax(utility, axis=1)
    value = scipy.special.logsumexp(utility, axis=1).sum() - (w * utility).sum()
    value += (effects**2).sum() / (2 * WIDTH**2)
    return float(value), np.einsum("is,isj->j", p - w, x) + effects / WIDTH**2


def _curvature(effects: Array, x: NDArray[np.float64], w: Array) -> Array:
    p = scipy.special.softmax(x @ effects, axis=1)
    mean = np.einsum("is,isj->ij", p, x)
    second = np.einsum("is,isj,isl->jl", p, x, x) - mean.T @ mean
    return np.asarray(second + np.eye(len(effects)) / WIDTH**2)
