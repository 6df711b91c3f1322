"""What a test can see: the smallest effect found with 80 % power, before a run or from its pool.

`python -m selfincorrect.power 1319 --mixed 0.25` says it for a planned run.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from selfincorrect.hypothesis import ALPHA

POWER = 0.80
LARGEST_VARIANCE = 0.25  # of a right or wrong pick from a mixed question: as many right as wrong candidates


def null_se(grades: NDArray[np.float64]) -> float:
    """Standard error of DG-Diff if every choice were a uniform draw: √(Σ var(grades of question i)) / m, of `grades` [m, k]."""
    return float(np.sqrt(grades.var(axis=1).sum()) / len(grades))


def planned_null_se(n: int, mixed: float, variance: float = LARGEST_VARIANCE) -> float:
    """The same before running, of n questions of which the share `mixed` is mixed, with a mean `variance` inside these."""
    return float(np.sqrt(n * mixed * variance) / n)


def smallest_effect(se: float) -> float:
    """The DG-Diff that the one-sided test at ALPHA finds with probability POWER: (z₀.₉₅ + z₀.₈₀) · SE."""
    return float((stats.norm.isf(ALPHA) + stats.norm.ppf(POWER)) * se)


def power(effect: float, se: float, se_under_effect: float | None = None) -> float:
    """Probability that the one-sided test at ALPHA finds a DG-Diff of `effect`, by the normal approximation.

    Φ((effect − z₀.₉₅ · se) / se_under_effect); the second standard error is the first unless given.
    """
    from statsmodels.stats.power import normal_power_het

    other = se if se_under_effect is None else se_under_effect
    return float(normal_power_het(effect, 1, ALPHA, std_null=se, std_alternative=other, alternative="larger"))


def questions_needed(effect: float, mixed: float, variance: float = LARGEST_VARIANCE) -> int:
    """Questions that find a DG-Diff of `effect` with probability POWER, if the share `mixed` of them is mixed."""
    from statsmodels.stats.power import normal_sample_size_one_tail

    return int(np.ceil(normal_sample_size_one_tail(effect, POWER, ALPHA, std_null=np.sqrt(mixed * variance))))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m selfincorrect.power", description=__doc__.split("\n")[0])
    parser.add_argument("questions", type=int, nargs="+", help="number of questions")
    parser.add_argument("--mixed", type=float, nargs="+", default=[0.1, 0.25, 0.5], help="share of mixed questions")
    parser.add_argument("--effect", type=float, default=0.01, help="DG-Diff to plan for, as a fraction (default 0.01)")
    given = parser.parse_args(arguments)
    if min(given.questions) < 1 or not all(0 < each <= 1 for each in given.mixed) or given.effect <= 0:
        parser.error("questions from 1, --mixed in (0, 1], --effect above 0")
    print(f"one-sided test at {ALPHA:.0%}; mixed questions with as many right as wrong candidates (the hardest case)")
    print("questions  mixed  smallest DG-Diff found with 80 % power  power for the effect  questions needed for it")
    for n in given.questions:
        for mixed in given.mixed:
            se = planned_null_se(n, mixed)
            print(
                f"{n:9}  {mixed:5.0%}  {100 * smallest_effect(se):33.2f} points  {power(given.effect, se):20.0%}"
                f"  {questions_needed(given.effect, mixed):23}"
            )


if __name__ == "__main__":
    main()
