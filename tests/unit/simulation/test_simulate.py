"""Under a known truth, tests keep their level, intervals hold the truth, and power is that of the formula."""

import numpy as np
import polars as pl
import pytest

from selfincorrect.simulation import simulate

DRAWS, SEED = 1000, 11  # coarse: `make simulate` takes twenty times as many
CONSERVATIVE = ("p_mcnemar_exact",)  # exact conditional: allowed to reject less
AS_PRINTED = ("p_as_printed", "p_as_printed, gains")


@pytest.mark.parametrize("pool", [simulate.binary_pool, simulate.scored_pool])
def test_level_of_every_reported_test(pool):
    table = simulate.rejections(pool, DRAWS, SEED)
    rejected = dict(table.select("test", "rejected").iter_rows())
    reported = {name: share for name, share in rejected.items() if name not in AS_PRINTED}
    assert {"p_randomisation", "p_worse", "p_slots"} < set(reported)
    for name, share in reported.items():
        assert share <= 0.071, name
        assert share >= 0.024 or name in CONSERVATIVE, name
    if pool is simulate.binary_pool:
        assert {"p_mcnemar", "p_mcnemar_midp", *CONSERVATIVE} < set(reported)
        # The printed formula halves twice: it rejects twice as often among gains, and among losses as well.
        assert rejected["p_as_printed, gains"] > 0.09
        assert rejected["p_as_printed"] > 0.17
    else:
        assert {"p_wilcoxon", "p_wilcoxon_drop"} < set(reported)


def test_equivalence_is_not_claimed_at_the_margin():
    # Few mixed questions are the hard case: 5 to 6 % in long runs, known here to about one point.
    *hard, realistic = simulate.equivalences([0.03, 0.05, 0.25], 300, SEED)["rejected"]
    assert max(hard) <= 0.09
    assert realistic <= 0.06


def test_pools_are_like_the_real_one():
    rng = np.random.default_rng(SEED)
    f, clusters = simulate.binary_pool(rng)
    mixed = (f.min(axis=1) < f.max(axis=1)).mean()
    assert f.shape == (1319, 4)
    assert mixed == pytest.approx(0.25, abs=0.03)
    assert len(set(clusters)) == 1319
    assert simulate.true_scores() == pytest.approx((0.09193, 0.25246), abs=5e-5)


@pytest.mark.parametrize("skill", [0.0, 0.3])
def test_intervals_hold_the_truth(skill):
    table = pl.concat(
        [simulate.coverage(skill, 800, SEED, ratios=False), simulate.scored_coverage(skill, 800, SEED)]
    )
    for interval, covered in table.select("interval", "covered").iter_rows():
        assert 0.93 <= covered <= 0.97, interval


def test_the_bootstrap_of_a_ratio_holds_the_truth():
    table = simulate.coverage(0.3, 300, SEED)
    assert 0.93 <= dict(table.select("interval", "covered").iter_rows())["headroom_share"] <= 0.97


def test_power_is_that_of_the_formula():
    for row in simulate.powers([0.008, 0.0155], 500, SEED).iter_rows(named=True):
        assert row["found"] == pytest.approx(row["formula"], abs=0.05), row


def test_the_command_writes_tables_and_figures(tmp_path, capsys):
    simulate.main([str(tmp_path), "--draws", "3"])
    tables = {"rejections", "coverage", "power", "worlds", "worlds_coverage", "skill_found", "looks"}
    figures = {f"{name}.{kind}" for name in ("simulation", "worlds") for kind in ("pdf", "png")}
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.csv" for name in tables} | figures | {
        "simulation.md"
    }
    assert "p_randomisation" in capsys.readouterr().out
    told = (tmp_path / "simulation.md").read_text()
    assert "| world | randomisation |" in told
    assert "| net | " in told
