"""Simulation of the tests and intervals that the tables report, where the truth is known.

`selfincorrect simulate FOLDER` draws pools and choices, and writes how often each test rejects, how often
each interval holds the truth, and how the power of the primary test compares with its formula.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.measure import hypothesis, intervals, power
from selfincorrect.measure.scores import scores
from selfincorrect.measure.significance import MARGIN, significance

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


def rejections(pool: Callable[[Rng], tuple[Array, NDArray[Any]]], draws: int, seed: int) -> pl.DataFrame:
    """The share of `draws` in which each test rejects at 5 %, for a uniform chooser on pools from `pool`."""
    rng, level = np.random.default_rng(seed), hypothesis.ALPHA
    counts: dict[str, int] = {}
    for _ in range(draws):
        f, clusters = pool(rng)
        c, picks = choose(f, 0, rng), choose(f, 0, rng)
        found = significance(f, c, c, picks, clusters, np.full(len(f), True))
        found["p_slots"] = hypothesis.uniform_slots(np.bincount(rng.integers(0, K, len(f)), minlength=K))
        for name, p in found.items():
            if name.startswith("p_") and name != "p_tost" and p is not None:
                counts[name] = counts.get(name, 0) + (p <= level)
        if found["p_as_printed"] is not None:  # the paper prints it for gains only
            gained = found["n01"] >= found["n10"] and found["p_as_printed"] <= level
            counts["p_as_printed, gains"] = counts.get("p_as_printed, gains", 0) + gained
    return pl.DataFrame(
        {"test": list(counts), "rejected": [count / draws for count in counts.values()], "draws": draws},
        schema_overrides={"draws": pl.Int64},
    )


def equivalences(mixed: Sequence[float], draws: int, seed: int) -> pl.DataFrame:
    """How often a true DG-Diff of one point is called equivalent, for each share of `mixed` questions."""
    rows = []
    for share in mixed:
        rng, rejected = np.random.default_rng(seed), 0
        between = np.where(np.isin(np.arange(K + 1), (0, K)), 0.0, RIGHT)
        shares = between * share / between.sum()
        shares[0] = 1 - share
        skill = MARGIN / (share - shares @ np.arange(K + 1) / K)
        for _ in range(draws):
            f, clusters = binary_pool(rng, shares)
            c = choose(f, skill, rng)
            p = significance(f, c, c, choose(f, 0, rng), clusters, np.full(len(f), True))["p_tost"]
            rejected += p is not None and p <= hypothesis.ALPHA
        name = f"p_tost, true difference a point, {share:.0%} mixed"
        rows.append({"test": name, "rejected": rejected / draws, "draws": draws})
    return pl.DataFrame(rows)


def coverage(skill: float, draws: int, seed: int, ratios: bool = True) -> pl.DataFrame:
    """The share of `draws` in which each 95 % interval holds the truth, on binary pools and for this `skill`.

    `ratios` adds the bootstrap interval of the share of headroom, which is slow.
    """
    rng = np.random.default_rng(seed)
    s_gen, oracle = true_scores()
    gain = skill * (oracle - s_gen)
    truth = {
        "dg_diff": gain,
        "s_gen": s_gen,
        "s_disc": s_gen + gain,
        "oracle": oracle,
        "headroom_share": skill,
    }
    held = dict.fromkeys(truth if ratios else list(truth)[:-1], 0)
    for draw in range(draws):
        f, clusters = binary_pool(rng)
        c = choose(f, skill, rng)
        row = scores(f, c, clusters)
        p, best = f.mean(axis=1), f.max(axis=1)
        found = {
            "dg_diff": (row["ci_low"], row["ci_high"]),
            "s_gen": (row["s_gen_low"], row["s_gen_high"]),
            "s_disc": (row["s_disc_low"], row["s_disc_high"]),
            "oracle": intervals.score_interval(best, clusters),
        }
        if ratios:
            found["headroom_share"] = intervals.ratio_interval(c - p, best - p, clusters, draw)
        for name, (low, high) in found.items():
            held[name] += low <= truth[name] <= high
    return pl.DataFrame(
        {"interval": list(held), "covered": [count / draws for count in held.values()], "draws": draws}
    )


def scored_coverage(skill: float, draws: int, seed: int) -> pl.DataFrame:
    """The `coverage` of DG-Diff's interval on scored pools, clustered by conversation.

    The truth is that of a large seeded pool.
    """
    large = np.random.default_rng(0)
    headroom = np.mean(
        [float((f.max(axis=1) - f.mean(axis=1)).mean()) for f, _ in (scored_pool(large) for _ in range(2000))]
    )
    rng, held = np.random.default_rng(seed), 0
    for _ in range(draws):
        f, clusters = scored_pool(rng)
        row = scores(f, choose(f, skill, rng), clusters)
        held += row["ci_low"] <= skill * headroom <= row["ci_high"]
    return pl.DataFrame(
        {"interval": ["dg_diff (scores, clustered)"], "covered": [held / draws], "draws": draws}
    )


def powers(effects: list[float], draws: int, seed: int) -> pl.DataFrame:
    """How often the primary test finds each planted DG-Diff (a fraction), and how often by the formula."""
    s_gen, oracle = true_scores()
    rows = []
    for effect in effects:
        rng, found, expected = np.random.default_rng(seed), 0, 0.0
        skill = effect / (oracle - s_gen)
        for _ in range(draws):
            f, _ = binary_pool(rng)
            c = choose(f, skill, rng)
            found += hypothesis.randomisation(f, c) <= hypothesis.ALPHA
            expected += power.power(power.moments(f), skill)
        rows.append({"effect": effect, "found": found / draws, "formula": expected / draws, "draws": draws})
    return pl.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    from selfincorrect.io import atomic
    from selfincorrect.report.figures import style
    from selfincorrect.simulation import figure as simulation

    parser = argparse.ArgumentParser(
        prog="selfincorrect simulate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where tables and figure go")
    parser.add_argument("--draws", type=int, default=10_000, help="draws of each simulation (default 10,000)")
    parser.add_argument("--seed", type=int, default=20240404)
    given = parser.parse_args(arguments)
    if given.draws < 1:
        parser.error("--draws from 1")
    draws, seed = given.draws, given.seed
    binary = pl.concat([rejections(binary_pool, draws, seed), equivalences([0.03, 0.05, 0.25], draws, seed)])
    scored = rejections(scored_pool, draws, seed)
    graded = {"right or wrong": binary, "scores": scored}
    covered = [
        each(skill, draws, seed).with_columns(skill=pl.lit(skill))
        for skill in (0.0, 0.3)
        for each in (coverage, scored_coverage)
    ]
    made = {
        "rejections": pl.concat(
            table.select(pl.lit(grades).alias("grades"), pl.all()) for grades, table in graded.items()
        ),
        "coverage": pl.concat(covered),
        "power": powers([0.0, 0.005, 0.01, 0.015, 0.02, 0.025], draws, seed),
    }
    for name, table in made.items():
        with atomic(given.folder / f"{name}.csv") as file:
            table.write_csv(file)
        with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True):
            print(table)
    style.apply({"font_size": 9, "dpi": 200})
    style.save(simulation.draw(**made), [str(given.folder / f"simulation.{kind}") for kind in ("pdf", "png")])
    print(f"tables and figure: {given.folder}")
