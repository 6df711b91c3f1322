"""The page of what ways of asking find."""

import polars as pl

from selfincorrect.report.findings import main, text

ABOUT = {"model": "m_1", "task": "capitals", "k": 4, "discriminator": "m_1"}


def tables():
    told = {
        "p_holm": 1.0,
        "p_worse_holm": 1.0,
        "labels_used": False,
        "ci_low": -0.1,
        "ci_high": 0.2,
        "p_comp": 0.61,
        "calls": 2.0,
    }
    rows = [
        ABOUT | told | {"variant": "likelihood", "dg_diff": 0.05, "verdict": "better", "p_holm": 0.01},
        ABOUT | told | {"variant": "asked", "dg_diff": 0.0, "verdict": "undecided", "ci_low": None},
    ]
    about = [
        ABOUT | {"variant": name, "unit": "percent", "n": 193, "informative": name == "likelihood"}
        for name in ("likelihood", "asked")
    ]
    return pl.DataFrame(rows), pl.DataFrame(about)


def test_the_page_has_every_way_and_its_numbers(tmp_path):
    page = text(*tables())
    assert (
        "- m\\_1 on Capitals: likelihood chooses better than drawing one; of 1 more it is not shown." in page
    )
    assert "| likelihood | +5.0 [-10.0, +20.0] | 61 | 2.0 |" in page
    assert "| asked | (+0.0) | 61 | 2.0 |" in page
    assert "Capitals 193 questions, k = 4" in page


def test_the_page_and_its_figures_come_from_a_finished_run(tmp_path, capsys):
    page, results = tmp_path / "docs/findings.md", tmp_path / "run/results"
    assert main([str(tmp_path), str(page)]) == 1
    assert "Name the folder of a finished run" in capsys.readouterr().err
    for folder in ("tables", "figures"):
        (results / folder).mkdir(parents=True)
    for name, table in zip(("selectors", "metrics"), tables(), strict=True):
        table.write_parquet(results / f"tables/{name}.parquet")
    for name in ("selectors", "best_of"):
        (results / f"figures/{name}.png").write_bytes(name.encode())
    assert main([str(tmp_path / "run"), str(page)]) == 0
    assert page.read_text() == text(*tables())
    assert (page.parent / "best_of.png").read_bytes() == b"best_of"
