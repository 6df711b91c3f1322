"""The audit of published tables: known bounds, enumeration of all tables of counts, and wrong files."""

import itertools
import re
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from scipy import stats

from selfincorrect.errors import UserError
from selfincorrect.paper import audit, published
from selfincorrect.paper.bounds import independent, p_bounds, whole
from selfincorrect.report.figures.audit import draw

HEADER = "model,task,dg_diff,s_gen,s_disc,p_value,items\n"


@pytest.fixture(scope="module")
def table2():
    return audit.audit(audit.read_published(published.path("table2")))


@pytest.mark.parametrize(
    ("model", "task", "largest", "printed"),
    [
        ("GPT-3.5-turbo", "triviaqa", 0.0004, 0.01),
        ("LLaMA-2 13B", "triviaqa", 0.034, 0.07),
        ("LLaMA-3 70B", "triviaqa", 0.055, 0.09),
        ("Mixtral-8x7B Instruct", "gsm8k", 0.300, 0.37),
        ("GPT-3.5-turbo", "gsm8k", 0.276, 0.37),
        ("GPT-4-turbo", "gsm8k", 0.238, 0.39),
    ],
)
def test_infeasible_cells_of_table_2(table2, model, task, largest, printed):
    row = table2.row(by_predicate=(pl.col("model") == model) & (pl.col("task") == task), named=True)
    assert row["p_largest"] == pytest.approx(largest, abs=10.0 ** -len(str(largest).split(".")[1]) / 1.9)
    assert (row["p_printed"], row["verdict"]) == (printed, "infeasible")
    assert row["p_smallest"] <= row["p_independent"] <= row["p_largest"]


def test_verdicts_of_table_2(table2):
    assert table2.height == 55
    counts = dict(table2["verdict"].value_counts().iter_rows())
    assert counts == {"not given": 26, "consistent": 12, "infeasible": 12, "no bound": 5}
    assert dict(table2.drop_nulls("fits")["fits"].value_counts().iter_rows()) == {
        "one-sided": 12,
        "two-sided": 10,
        "neither": 2,
    }
    neither = table2.filter(pl.col("fits") == "neither").select("model", "task").rows()
    assert neither == [("LLaMA-2 70B Chat", "truthfulqa"), ("GPT-3.5-turbo", "triviaqa")]
    assert table2.filter(pl.col("verdict") == "no bound")["task"].unique().to_list() == ["mt_bench"]


def test_findings_of_the_paper(table2):
    said = "\n".join(audit.findings(table2) + audit.contradictions(published.baseline()))
    for words in (
        "55 cells: 14 models x 4 tasks without GPT-4-turbo on mt_bench",
        "LLaMA-3 70B and LLaMA-3 70B Instruct have the same scores on triviaqa (64.2 and 65.3), "
        "with p = 0.09 and 0.11",
        "LLaMA-2 70B, gsm8k: S_gen is 44.0 in Table 2, 43.0 in Table 6",
        "Mixtral-8x7B Instruct, gsm8k: DG-Diff is 1.3 in Table 2, 4.3 in Figure 9",
        "13 printed p-values are above 0.25",
        "12 cannot come from the one-sided test; of these 10 can come from a two-sided one, 2 from neither",
        "LLaMA-2 70B Chat, truthfulqa: s_disc 49.5 % of 817 is no whole number of questions: "
        "404 are 49.4 % and 405 are 49.6 %.",
        "LLaMA-3 8B Instruct, truthfulqa: s_disc 49.5 % of 817",
    ):
        assert words in said
    table4 = audit.findings(audit.audit(audit.read_published(published.path("table4"))))
    assert "Flan-T5-XXL, gsm8k: DG-Diff 1.3 is printed beside scores that differ by 1.10." in table4


@pytest.mark.parametrize(
    ("right_gen", "right_disc", "m"),
    [(5, 8, 12), (0, 3, 12), (9, 12, 12), (6, 6, 12), (2, 10, 12), (8, 5, 12), (12, 9, 12), (7, 1, 12)],
)
def test_bounds_by_enumeration_of_all_counts(right_gen, right_disc, m):
    possible = []
    for n01, n10 in itertools.product(range(m + 1), repeat=2):
        both, neither = right_gen - n10, m - right_gen - n01
        if n01 - n10 == right_disc - right_gen and both >= 0 and neither >= 0:
            total = n01 + n10
            possible.append(stats.norm.sf((n01 - n10) / np.sqrt(total)) if total else 0.5)
    low, high = p_bounds(range(right_gen, right_gen + 1), range(right_disc, right_disc + 1), m)
    assert low == pytest.approx(min(possible))
    assert high == pytest.approx(max(possible))


def test_rounding_widens_the_bounds():
    exact, rounded = (p_bounds(range(300 - by, 301 + by), range(320 - by, 321 + by), 1000) for by in (0, 1))
    assert rounded[0] < exact[0] < exact[1] < rounded[1]
    inside = [
        p_bounds(range(a, a + 1), range(b, b + 1), 1000) for a in (299, 300, 301) for b in (319, 320, 321)
    ]
    assert rounded[0] == pytest.approx(min(low for low, _ in inside))
    assert rounded[1] == pytest.approx(max(high for _, high in inside))


@pytest.mark.parametrize("m", [7, 80, 817, 1000, 1319])
@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_whole_numbers_by_enumeration(m, decimals):
    for tenth in range(0, 1001, 7):
        printed = f"{tenth / 10:.{decimals}f}"
        half = Fraction(1, 2 * 10**decimals)
        fit = [c for c in range(m + 1) if abs(Fraction(100 * c, m) - Fraction(printed)) <= half]
        assert list(whole(printed, m)) == fit


def test_losses_are_bounded_too(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        HEADER + "A,gsm8k,-2.0,50.0,48.0,0.95,\nB, gsm8k ,-0.1,50.0,49.9,.53,\nC,gsm8k,-2.0,50.0,48.0,0.3,\n"
    )
    table = audit.audit(audit.read_published(path))
    assert table["verdict"].to_list() == ["consistent", "consistent", "infeasible"]
    assert (table["p_smallest"] <= table["p_independent"]).all()
    assert (table["p_independent"] <= table["p_largest"]).all()


def test_independent_phases():
    gained, lost = 1000 * 0.7 * 0.32, 1000 * 0.3 * 0.68
    assert independent(0.3, 0.32, 1000) == pytest.approx(
        stats.norm.sf((gained - lost) / np.sqrt(gained + lost))
    )
    assert independent(1.0, 1.0, 10) == 0.5


def test_own_tables_with_their_own_decimals(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        HEADER + "A,mine,2.00,50.00,52.00,0.5,1000\nB,gsm8k,2,50,52,,\nC,mine,0.1,50.0,50.1,0.48,1000\n"
    )
    table = audit.audit(audit.read_published(path))
    assert table["verdict"].to_list() == ["infeasible", "not given", "consistent"]
    assert table["m"].to_list() == [1000, 1319, 1000]
    # Two decimals are known more exactly than none.
    fine, coarse = table["p_largest"].to_list()[:2]
    assert fine == pytest.approx(p_bounds(range(500, 501), range(520, 521), 1000)[1])
    assert coarse == pytest.approx(p_bounds(range(654, 667), range(680, 693), 1319)[1])
    page = audit.page("mine", table, audit.findings(table))
    assert "| A | mine | 1000 | 50.0 | 52.0 | 0.5 |" in page


MISTAKES = {
    "no column s_disc": (
        "model,task,dg_diff,s_gen\nA,gsm8k,1,2\n",
        ["no column s_disc", "found: model, task"],
    ),
    "no number": (HEADER + "A,gsm8k,1.0,x,3.0,,\n", ["line 2", "s_gen is 'x'"]),
    "no score": (HEADER + "A,gsm8k,1.0,,3.0,,\n", ["line 2", "s_gen is None"]),
    "unknown items": (
        HEADER + "A,mine,1.0,2.0,3.0,,\n",
        ["A, mine: the number of questions is None", "`items`"],
    ),
    "items in words": (
        HEADER + "A,gsm8k,1.0,2.0,3.0,,'1,319'\n".replace("'", '"'),
        ["the number of questions is '1,319'"],
    ),
    "no items": (HEADER + "A,gsm8k,1.0,2.0,3.0,,0\n", ["the number of questions is '0'", "from 1"]),
    "p above 1": (HEADER + "A,gsm8k,1.0,2.0,3.0,5,\n", ["line 2", "p_value is 5, not between 0 and 1"]),
    "no model": (HEADER + ",gsm8k,1.0,2.0,3.0,,\n", ["line 2", "`model` and `task` need a value"]),
    "no cells": (HEADER, ["holds no cells"]),
    "fractions": (HEADER + "A,gsm8k,0.02,0.50,0.52,,\n", ["look like fractions"]),
    "no percentage": (HEADER + "A,gsm8k,1.0,200.0,201.0,,\n", ["not both percentages"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path, name):
    text, words = MISTAKES[name]
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError) as caught:
        audit.audit(audit.read_published(tmp_path / "a.csv"))
    for word in words:
        assert word in str(caught.value)


EVIL = "| [a](javascript:alert(1)) <img src=x onerror=alert(1)> `x`"


def test_names_are_no_markup_in_pages_and_figures(tmp_path):
    path = tmp_path / "own.csv"
    header = "model,task,dg_diff,s_gen,s_disc,p_value,items"
    path.write_text(f'{header}\n"{EVIL}",gsm8k,1.0,10.0,11.0,0.01,100\n$x^{{$,gsm8k,1.0,10.0,11.0,0.01,100\n')
    audited = audit.audit(audit.read_published(path))
    page = audit.page("own", audited, audit.findings(audited))
    assert r"\[a\](javascript" in page
    assert re.search(r"(?<!\\)[<\[`]", page) is None
    figure = draw(audited)
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("column", "value"),
    [("s_gen", "1e999999999"), ("items", "1" + "0" * 400), ("items", "1" + "0" * 20), ("dg_diff", "1" * 50)],
)
def test_numbers_beyond_sense_are_one_message(tmp_path, column, value):
    row = {
        "model": "m",
        "task": "mine",
        "dg_diff": "1.0",
        "s_gen": "10.0",
        "s_disc": "11.0",
        "p_value": "0.01",
        "items": "100",
        column: value,
    }
    path = tmp_path / "own.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    with pytest.raises(UserError):
        audit.audit(audit.read_published(path))
