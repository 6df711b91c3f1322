"""The commands that bring runs together: what they join, refuse, write, and return."""

import polars as pl
import pytest

from selfincorrect.columns import schema_of
from selfincorrect.io import write_table
from selfincorrect.measure.columns import METRICS
from selfincorrect.report import collect, compare
from selfincorrect.report.collect import experiment_names
from tests.support.items import cell_items


def rows(model, variant, picks, **changed):
    return cell_items(picks, model=model, variant=variant, **changed)


def run(folder, *tables):
    for table in tables:
        model, k = table["model"][0], table["k"][0]
        path = folder / "results" / model / "t" / f"k{k}" / "per_question.parquet"
        old = [pl.read_parquet(path)] if path.exists() else []
        write_table(path, pl.concat([*old, table]))
    return folder


@pytest.fixture
def folders(tmp_path):
    good, poor = [0] * 30, [0, 1] * 15
    return (
        run(tmp_path / "a", rows("m", "full", poor), rows("m", "brief", good), rows("n", "full", good)),
        run(tmp_path / "b", rows("m", "full", good), rows("m", "full", good, k=3)),
    )


def test_two_runs_are_compared_where_they_agree(folders, capsys, tmp_path):
    assert compare.main([*map(str, folders), "--to", str(tmp_path / "c.csv")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 comparison, all of one pool")
    assert "t, k = 2, m full: -50.0 points" in told
    assert "0 gained, 15 lost of 30: worse" in told
    table = pl.read_csv(tmp_path / "c.csv")
    assert table["finding"][0].startswith("the first run picks worse than the other run (m, t, k = 2, full)")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--variants", "brief", "full"], 0, "m brief − m full: +50.0 points"),
        (["--variants", "full", "brief", "--fail-if-worse"], 3, "worse"),
        (["--variants", "brief", "full", "--fail-if-worse"], 0, "better"),
        (["--models", "m", "n"], 0, "m full − n full: -50.0 points"),
        (["--models", "m", "n", "--variants", "brief", "full"], 0, "m brief − n full: +0.0 points"),
    ],
)
def test_one_run_against_itself(folders, capsys, options, code, words):
    assert compare.main([str(folders[0] / "results"), *options]) == code
    assert words in capsys.readouterr().out


def test_values_of_two_runs_are_of_one_each(folders, capsys):
    assert compare.main([*map(str, folders), "--models", "n", "m"]) == 0
    assert "n full − m full: +0.0 points" in capsys.readouterr().out
    assert compare.main([*map(str, folders), "--k", "2", "3"]) == 0
    assert "k = 2, m full: -50.0 points" in capsys.readouterr().out


def test_pools_that_must_be_the_same_are(folders, capsys, tmp_path):
    other = run(tmp_path / "c", rows("m", "full", [0] * 30, grades=(0.0, 1.0)))
    assert compare.main([str(folders[1]), str(other), "--same-pool"]) == 1
    assert "Pools differ in 1 of 1 comparisons" in capsys.readouterr().err
    assert compare.main([*map(str, folders), "--same-pool"]) == 0


def test_what_cannot_be_compared_is_said(folders, capsys, tmp_path):
    assert compare.main([str(tmp_path / "none"), "--k", "2", "4"]) == 1
    assert "has no results of questions" in capsys.readouterr().err
    assert compare.main([str(folders[0]), "--k", "2", "4"]) == 1
    assert "There are: m t k = 2 full, m t k = 2 brief" in capsys.readouterr().err
    (tmp_path / "x" / "m" / "t" / "k2").mkdir(parents=True)
    (tmp_path / "x" / "m" / "t" / "k2" / "per_question.parquet").write_text("no parquet")
    assert compare.main([str(tmp_path / "x"), "--k", "2", "4"]) == 1
    assert "is no table of questions" in capsys.readouterr().err
    for wrong in ([str(folders[0])], [*map(str, folders), "third"], [str(folders[0]), "--k", "two", "4"]):
        with pytest.raises(SystemExit):
            compare.main(wrong)


def test_figure(folders, tmp_path):
    assert compare.main([*map(str, folders), "--figure", str(tmp_path / "c.png")]) == 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_metrics_of_several_runs(tmp_path, capsys):
    metrics = pl.DataFrame({"model": ["m", "n"], "dg_diff": [0.1, 0.2]})
    write_table(tmp_path / "a" / "results" / "tables" / "metrics.parquet", metrics)
    write_table(tmp_path / "b" / "tables" / "metrics.parquet", metrics.with_columns(net=pl.lit(0.3))[:1])
    to = tmp_path / "all.parquet"
    assert collect.main([str(tmp_path / "a"), str(tmp_path / "b"), "--to", str(to)]) == 0
    table = pl.read_parquet(to)
    assert table.select("experiment", "model", "net").rows() == [
        ("a", "m", None), ("a", "n", None), ("b", "m", 0.3),
    ]  # fmt: skip
    assert set(table.columns) - {"experiment"} <= set(schema_of(METRICS))
    assert collect.main([str(tmp_path / "none"), "--to", str(to)]) == 1
    assert "cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        collect.main([str(tmp_path), "--to", "all.xlsx"])


def test_runs_are_told_apart(tmp_path):
    names = experiment_names([tmp_path / "x" / "run" / "results", tmp_path / "y" / "run", tmp_path / "z"])
    assert names == ["x/run", "y/run", f"{tmp_path.name}/z"]
