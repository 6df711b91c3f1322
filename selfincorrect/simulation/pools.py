"""Pools with the difficulty of real ones, and choosers of known skill."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator

# A real pool: the shares of the 1,319 GSM8K questions that have 0 … 4 right answers among four of LLaMA-2 7B.
# 24 % of them are mixed.
QUESTIONS, RIGHT = 1319, np.array([986, 230, 66, 25, 12]) / 1319
# Judge scores of 80 questions with two turns: both turns share a level, the candidates have a skewed spread.
CONVERSATIONS, LEVELS, LEVEL_SHARES = 80, np.array([3, 6, 8, 9]), np.array([0.1, 0.2, 0.3, 0.4])
SPREAD = np.array([-5, -2, -1, 0, 0, 0, 1])
K = 4


def binary_pool(rng: Rng, shares: Array = RIGHT) -> tuple[Array, NDArray[Any]]:
    """Grades [1319, 4] of 0 and 1, and the cluster of each question, which is its own.

    `shares` are those of the questions that have 0 … 4 right candidates.
    """
    right = rng.choice(len(shares), size=QUESTIONS, p=shares)
    grades = (np.arange(K) < right[:, None]).astype(float)
    return rng.permuted(grades, axis=1), np.arange(QUESTIONS)


def scored_pool(rng: Rng) -> tuple[Array, NDArray[Any]]:
    """Grades [160, 4] from 1 to 10, and the cluster of each question: two turns share one."""
    levels = np.repeat(rng.choice(LEVELS, size=CONVERSATIONS, p=LEVEL_SHARES), 2)
    grades = np.clip(levels[:, None] + rng.choice(SPREAD, size=(2 * CONVERSATIONS, K)), 1, 10)
    return grades.astype(float), np.repeat(np.arange(CONVERSATIONS), 2)


def choose(f: Array, skill: float, rng: Rng) -> Array:
    """Grades of the choices: the best candidate with probability `skill`, else a uniform draw.

    The true DG-Diff is `skill` × headroom.
    """
    uniform = f[np.arange(len(f)), rng.integers(0, K, len(f))]
    return np.where(rng.random(len(f)) < skill, f.max(axis=1), uniform)


def true_scores() -> tuple[float, float]:
    """The expected S_gen and the expected oracle score of `binary_pool`."""
    return float(RIGHT @ np.arange(K + 1) / K), float(1 - RIGHT[0])


def processes(count: int | None = None) -> ProcessPoolExecutor:
    """As many processes as there are cores, or `count`, each begun anew: a fork would copy locked threads."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))
