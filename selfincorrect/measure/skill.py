"""Skill: how often a chooser knows, whatever the headroom; and evidence that may be looked at any time.

A chooser of skill s ≥ 0 takes a best candidate with probability s and draws uniformly otherwise; one of
skill s < 0 takes a worst one with probability −s.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import logsumexp

from selfincorrect.measure.scores import Row
from selfincorrect.measure.totals import Array, Kinds, convolved, grid_step, matter, on_grid, outcomes

COLUMNS = ("skill", "skill_low", "skill_high", "exact_low", "exact_high")
TAIL = 0.025  # mid-p on each side of the interval
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


class Skill(NamedTuple):
    """The skill that explains the choices best, its exact 95 % interval, and what there is to gain and to
    lose: the sums over questions of best − mean and of mean − worst.
    """

    point: float
    low: float
    high: float
    headroom: float
    footroom: float


def skill_interval(grades: Array, taken: Array, ties: NDArray[np.int64]) -> Skill | None:
    """The skill behind the grades `taken` [m] among `grades` [m, k], by inverting mid-p tails of their total.

    `ties` [m] says how many candidates share each choice. None where no choice can matter.
    """
    can = matter(grades, ties)
    kinds = outcomes(grades[can], ties[can])
    step = grid_step(each.values for each, _ in kinds) if kinds else None
    if step is None:
        return None
    total = float((taken[can] - grades[can].min(axis=1)).sum())
    mean = sum(count * each.mean for each, count in kinds)
    best, worst = (sum(count * float(how(each.values)) for each, count in kinds) for how in (np.max, np.min))
    below = _mid_p(on_grid(kinds, step), round((total - worst) / step))
    point = (total - mean) / (best - mean) if total >= mean else (total - mean) / (mean - worst)
    return Skill(point, _solved(below, 1 - TAIL), _solved(below, TAIL), best - mean, mean - worst)


def _mid_p(uniform: Kinds, reached: int) -> Callable[[float], float]:
    """P(total < reached) + ½ P(total = reached), by skill: it falls from 1 to 0."""

    def below(s: float) -> float:
        parts = []
        for part, count in uniform:
            mixed = part * (1 - abs(s))
            mixed[-1 if s > 0 else 0] += abs(s)
            parts.append((mixed, count))
        found = convolved(parts)
        return float(found[:reached].sum() + 0.5 * (found[reached] if reached < len(found) else 0.0))

    return below


def _solved(below: Callable[[float], float], level: float) -> float:
    """The skill at which `below` is `level`; an end of [−1, 1] where it is not reached."""
    if below(-1.0) <= level:
        return -1.0
    if below(1.0) >= level:
        return 1.0
    return float(scipy.optimize.brentq(lambda s: below(s) - level, -1.0, 1.0, xtol=1e-6))


def as_difference(skill: float, headroom: float, footroom: float) -> float:
    """The DG-Diff of a chooser of this skill on this pool: `headroom` is oracle − S_gen, `footroom` S_gen
    − the mean worst grade.
    """
    return skill * (headroom if skill >= 0 else footroom)


def evidence(best: Array, number: NDArray[np.int64], k: int) -> tuple[float, float]:
    """ln E of all choices, and the largest ln E on the way there.

    E_t = ∫₀¹ Π_{i ≤ t} [(1 − s) + s·k·best[i]/number[i]] ds: `best` is the share of choice i that fell on
    a best candidate, `number` how many are best. If choices were uniform, the chance that E ever reaches
    20 is at most 1/20, however often one looks.
    """
    if not len(best):
        return 0.0, 0.0
    s = (NODES + 1) / 2
    logs = np.cumsum(np.log1p(s * (k * best / number - 1)[:, None]), axis=0)
    ln_e = logsumexp(logs, b=WEIGHTS / 2, axis=1)
    return float(ln_e[-1]), float(max(ln_e.max(), 0.0))


def skill_row(grades: Array, taken: Array, ties: NDArray[np.int64], items: int) -> Row:
    """The columns of skill, of the mixed questions among `items`; None where no choice can matter."""
    found = skill_interval(grades, taken, ties)
    if found is None:
        return dict.fromkeys(COLUMNS)
    ends = [as_difference(each, found.headroom / items, found.footroom / items) for each in found[1:3]]
    return dict(zip(COLUMNS, (*found[:3], *ends), strict=True))
