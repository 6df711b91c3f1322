"""In worlds where skill is known, what is new keeps its size, covers, and finds what is there."""

import numpy as np
import polars as pl
import pytest

from selfincorrect.simulation import discernment
from selfincorrect.simulation.worlds import WORLDS

DRAWS, SEED = 40, 5


@pytest.fixture(scope="module")
def tables():
    return discernment.simulated(DRAWS, SEED, 1)


def test_tests_keep_their_size_in_every_world(tables):
    sizes, _ = tables
    assert set(sizes["world"]) == set(WORLDS)
    for row in sizes.iter_rows(named=True):
        if row["holds"] is not None:
            error = np.sqrt(0.05 * 0.95 / row["draws"])
            assert row["rejected"] <= discernment.MOST + 3.5 * error, row
    lucky = sizes.row(by_predicate=pl.col("test") == discernment.TAKES_LUCK, named=True)
    assert lucky["rejected"] > 0.6  # and net, beside it, is not fooled


def test_intervals_hold_the_truth_in_every_world(tables):
    _, covered = tables
    assert {"net", "skill", "contrast"} == set(covered["interval"])
    for row in covered.iter_rows(named=True):
        assert row["covered"] >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / row["draws"]), row


def test_skill_is_found_and_looking_again_finds_none():
    found = {(row["test"], row["skill"]): row["found"] for row in discernment.powers(60, SEED).to_dicts()}
    assert found["net", 0.1] > 0.65
    assert found["net", 0.2] > 0.95
    assert found[discernment.EVIDENCE, 0.2] > 0.85
    looks = {row["test"]: row["better"] for row in discernment.looks(100, SEED).to_dicts()}
    assert looks[discernment.EVIDENCE] <= 0.1
    assert looks["randomisation at each look"] > looks[discernment.EVIDENCE]


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_are_what_they_say(name):
    world, rng = WORLDS[name], np.random.default_rng(1)
    gains = [world.draw(rng, 0.0) for _ in range(40)]
    knows = world.draw(rng, 1.0)
    valid = knows.valid
    assert (knows.chosen[valid] >= knows.f[valid].mean(axis=1) - 1e-9).all()
    gain = np.mean([(each.chosen - each.f.mean(axis=1))[each.valid].mean() for each in gains])
    assert (abs(gain) < 0.02 * knows.f.max()) == world.fair
    assert {float(each.w.sum(axis=1).max().round(9)) for each in gains} == {1.0}
