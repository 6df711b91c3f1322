"""What the primary test can see: the smallest effect it finds with 80 % power, of a pool or before running.

The effect is that of a chooser who takes the best candidate with some probability, its skill, and draws
one at random otherwise: DG-Diff is then skill × headroom. `selfincorrect power 1319 --mixed 0.25` says it
for a planned run.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from selfincorrect.measure.hypothesis import ALPHA
from selfincorrect.measure.totals import grid_step

POWER = 0.80
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """What the power of the test on the total grade depends on: sums over the questions."""

    headroom: float  # Σ (best − mean)
    null_variance: float  # Σ variance of a uniform draw
    spread: float  # Σ (best − mean)², by which skill changes the variance
    step: float  # between two totals that are possible, 0 if they are dense


def moments(grades: Array) -> Moments:
    """The moments of a pool, `grades` [m, k]."""
    above = grades.max(axis=1) - grades.mean(axis=1)
    step = grid_step(list(grades)) or 0.0
    return Moments(float(above.sum()), float(grades.var(axis=1).sum()), float((above**2).sum()), step)


def power(pool: Moments, skill: float) -> float:
    """Probability that the one-sided test at ALPHA finds a chooser of `skill` in [0, 1], by the normal
    approximation.

    Φ((skill · headroom − ½ step − z₀.₉₅ σ₀) / σ₁). Half a step is what an exact test of whole totals loses
    on average. The variance of a choice is (1 − s)·(v + s·h²) with v and h the question's variance and
    headroom, which gives σ₁² from σ₀².
    """
    from statsmodels.stats.power import normal_power_het

    if pool.headroom == 0:
        return 0.0
    null, other = (
        np.sqrt(pool.null_variance),
        np.sqrt((1 - skill) * (pool.null_variance + skill * pool.spread)),
    )
    if other < 1e-9 * null:
        return float(_gain(pool, skill) > scipy.stats.norm.isf(ALPHA) * null)
    return float(
        normal_power_het(
            _gain(pool, skill), 1, ALPHA, std_null=null, std_alternative=other, alternative="larger"
        )
    )


def _gain(pool: Moments, skill: float) -> float:
    return skill * pool.headroom - pool.step / 2


def smallest_skill(pool: Moments) -> float | None:
    """The skill that the test finds with probability POWER; None if it can miss even a perfect chooser."""
    z_alpha, z_power = scipy.stats.norm.isf(ALPHA), scipy.stats.norm.ppf(POWER)

    def missing(skill: float) -> float:
        variance = (1 - skill) * (pool.null_variance + skill * pool.spread)
        return float(z_alpha * np.sqrt(pool.null_variance) + z_power * np.sqrt(variance) - _gain(pool, skill))

    return float(scipy.optimize.brentq(missing, 0, 1)) if missing(1) < 0 else None


def smallest_effect(grades: Array) -> float | None:
    """The DG-Diff that the test on this pool, `grades` [m, k], finds with probability POWER; None if it
    can find none.
    """
    pool = moments(grades)
    skill = smallest_skill(pool) if pool.headroom else None
    return None if skill is None else skill * pool.headroom / len(grades)


def planned(n: int, mixed: float, k: int = 2, right: int = 1) -> Array:
    """Grades [n, k] of a pool before it is drawn: the share `mixed` of n questions has `right` of k
    candidates right.
    """
    grades = np.zeros((n, k))
    grades[: round(n * mixed), :right] = 1.0
    return grades


def questions_needed(effect: float, mixed: float, k: int = 2, right: int = 1) -> int:
    """Questions that find a DG-Diff of `effect` with probability POWER, if the share `mixed` is as in
    `planned`.

    The n with n · effect − ½ = z₀.₉₅ √(n v₀) + z₀.₈₀ √(n v₁), v the variances of a question. Raises
    ValueError if `effect` is not below the headroom.
    """
    p, skill = right / k, effect / (mixed * (1 - right / k))
    if skill >= 1:
        raise ValueError(f"an effect of {effect} is beyond the headroom, {mixed * (1 - p):.3f}")
    null, other = mixed * p * (1 - p), mixed * (1 - skill) * (p * (1 - p) + skill * (1 - p) ** 2)
    spread = scipy.stats.norm.isf(ALPHA) * np.sqrt(null) + scipy.stats.norm.ppf(POWER) * np.sqrt(other)
    return int(np.ceil(((spread + np.sqrt(spread**2 + 2 * effect)) / (2 * effect)) ** 2))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="selfincorrect power", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("questions", type=int, nargs="+", help="number of questions")
    parser.add_argument(
        "--mixed", type=float, nargs="+", default=[0.1, 0.25, 0.5], help="share of mixed questions"
    )
    parser.add_argument("--k", type=int, default=2, help="candidates shown")
    parser.add_argument("--right", type=int, default=1, help="right ones among them in a mixed question")
    parser.add_argument(
        "--effect", type=float, default=0.01, help="DG-Diff to plan for, as a fraction (default 0.01)"
    )
    given = parser.parse_args(arguments)
    if (
        min(given.questions) < 1
        or not all(0 < each <= 1 for each in given.mixed)
        or not 0 < given.right < given.k
    ):
        parser.error("questions from 1, --mixed in (0, 1], --right from 1 to k - 1")
    largest = min(given.mixed) * (1 - given.right / given.k)
    if not 0 < given.effect < largest:
        parser.error(f"--effect above 0 and below the headroom, here {largest:.3f}")
    print(f"One-sided test at 5 %; mixed questions have {given.right} of {given.k} candidates right.")
    print(
        f"{'questions':>9}  {'mixed':>5}  {'found with 80 % power':>21}  "
        f"{f'power at {given.effect:.2%}':>14}  {'questions for 80 %':>18}"
    )
    for n in given.questions:
        for mixed in given.mixed:
            grades = planned(n, mixed, given.k, given.right)
            smallest, pool = smallest_effect(grades), moments(grades)
            seen = power(pool, given.effect * n / pool.headroom) if pool.headroom > given.effect * n else 0.0
            needed = questions_needed(given.effect, mixed, given.k, given.right)
            found = "none" if smallest is None else f"{100 * smallest:.2f} points"
            print(f"{n:9}  {mixed:5.0%}  {found:>21}  {seen:14.0%}  {needed:18}")
