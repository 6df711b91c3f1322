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
from selfincorrect.simulation.pools import (
    RIGHT,
    Array,
    K,
    Rng,
    binary_pool,
    choose,
    processes,
    scored_pool,
    true_scores,
)


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


def simulated(draws: int, seed: int) -> dict[str, pl.DataFrame]:
    """The tables `rejections`, `coverage` and `power` of scores and their first tests, on all cores."""
    with processes() as pool:
        tests = {
            grades: pool.submit(rejections, of, draws, seed)
            for grades, of in (("right or wrong", binary_pool), ("scores", scored_pool))
        }
        margins = pool.submit(equivalences, [0.03, 0.05, 0.25], draws, seed)
        covered = [
            (skill, pool.submit(each, skill, draws, seed))
            for skill in (0.0, 0.3)
            for each in (coverage, scored_coverage)
        ]
        found = [pool.submit(powers, [effect], draws, seed) for effect in EFFECTS]
        tables = {grades: table.result() for grades, table in tests.items()}
        tables["right or wrong"] = pl.concat([tables["right or wrong"], margins.result()])
        return {
            "rejections": pl.concat(
                table.select(pl.lit(grades).alias("grades"), pl.all()) for grades, table in tables.items()
            ),
            "coverage": pl.concat(
                table.result().with_columns(skill=pl.lit(skill)) for skill, table in covered
            ),
            "power": pl.concat(table.result() for table in found),
        }


EFFECTS = (0.0, 0.005, 0.01, 0.015, 0.02, 0.025)


def main(arguments: list[str] | None = None) -> int:
    """Write tables and figures; exit code 0, or 1 if a test does not keep its size."""
    from selfincorrect.io import atomic, write_text
    from selfincorrect.report.figures import style
    from selfincorrect.simulation import discernment, figure
    from selfincorrect.simulation.page import page

    parser = argparse.ArgumentParser(
        prog="selfincorrect simulate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where tables and figures go")
    parser.add_argument("--draws", type=int, default=20_000, help="draws of each simulation (default 20,000)")
    parser.add_argument("--seed", type=int, default=20240404)
    given = parser.parse_args(arguments)
    if given.draws < 1:
        parser.error("--draws from 1")
    draws, seed = given.draws, given.seed
    some = max(draws // 10, 1)  # of larger pools, where a percent is known well enough
    made = simulated(draws, seed)
    sizes, covered = discernment.simulated(draws, seed)
    more = {"worlds": sizes, "worlds_coverage": covered}
    more |= {"skill_found": discernment.powers(some, seed), "looks": discernment.looks(some, seed)}
    for name, table in (made | more).items():
        with atomic(given.folder / f"{name}.csv") as file:
            table.write_csv(file)
        with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, fmt_str_lengths=60):
            print(table)
    style.apply({"font_size": 9, "dpi": 200})
    drawn = {"simulation": figure.draw(**made), "worlds": figure.worlds(**more)}
    for name, each in drawn.items():
        style.save(each, [str(given.folder / f"{name}.{kind}") for kind in ("pdf", "png")])
    write_text(given.folder / "simulation.md", page(made | more, draws, seed))
    print(f"tables, figures and simulation.md: {given.folder}")
    failed = sizes.filter(~pl.col("holds").fill_null(True))
    for row in failed.iter_rows(named=True):
        print(f"does not keep its size: {row['test']}, {row['world']}: {row['rejected']:.2%}")
    return 1 if failed.height else 0
