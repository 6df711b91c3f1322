"""Which cells are compared, and what is said of it."""

import polars as pl
import pytest
from pydantic import ValidationError

from selfincorrect.report.contrasts import best_of_several, contrasts_table
from selfincorrect.report.wanted import Cell, Contrast, pairs_of
from tests.support.items import cell_items

CELLS = [
    Cell(model, "t", k, variant)
    for model in ("m", "n")
    for k in (2, 4)
    for variant in ("full", "brief", "vote", "long")
]
STANDARDS = [["full", "brief"], ["vote"]]


def test_each_way_is_set_against_each_standard_once():
    pairs = [(one.variant, other.variant) for one, other in pairs_of(CELLS[:4], STANDARDS, [])]
    assert pairs == [
        ("brief", "full"), ("vote", "full"), ("long", "full"), ("brief", "vote"), ("long", "vote"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("contrast", "differ", "count"),
    [
        (Contrast(variants=["long", "brief"]), "variant", 4),
        (Contrast(models=["m", "n"]), "model", 8),
        (Contrast(k=[2, 4]), "k", 8),
        (Contrast(variants=["long", "absent"]), "variant", 0),
        (Contrast(variants=["full", "brief"]), "variant", 4),
    ],
)
def test_configured_contrasts_differ_in_one_thing(contrast, differ, count):
    pairs = pairs_of(CELLS, [], [contrast])
    assert len(pairs) == count
    for one, other in pairs:
        assert [name for name in Cell._fields if getattr(one, name) != getattr(other, name)] == [differ]


def test_a_configured_contrast_has_its_own_direction():
    pairs = pairs_of(CELLS[:4], STANDARDS, [Contrast(variants=["full", "brief"])])
    assert (CELLS[0], CELLS[1]) in pairs
    assert (CELLS[1], CELLS[0]) not in pairs
    assert len(pairs) == 5


@pytest.mark.parametrize("given", [{}, {"variants": ["a", "b"], "k": [2, 4]}, {"models": ["a"]}])
def test_one_thing_differs(given):
    with pytest.raises(ValidationError):
        Contrast(**given)


def rows(variant, selector, grades, model="m"):
    """Items of one cell by the grade of each choice, among a right and a wrong candidate."""
    return cell_items([1 - grade for grade in grades], model=model, variant=variant, selector=selector)


def test_table_and_words():
    table = pl.concat(
        [
            rows("full", "choose", [1] * 20),
            rows("vote", "majority", [0] * 20),
            rows("best", "oracle", [1] * 20),
        ]
    )
    made = contrasts_table(table, [["choose"], ["majority"]], ["oracle"], [])
    row = made.row(0, named=True)
    assert made.height == 1
    assert (row["variant"], row["other_variant"], row["verdict"]) == ("vote", "full", "worse")
    assert row["finding"].startswith(
        "vote picks worse than full (m, t, k = 2): -100.0 points, p = 9.5e-07 after Holm's correction, 20"
    )
    assert contrasts_table(table.clear(), [["choose"]], [], []).height == 0


def test_models_are_compared_in_what_they_gain():
    table = pl.concat([rows("full", "choose", [1] * 9 + [0] * 3), rows("full", "choose", [1] * 12, "n")])
    contrast = Contrast(models=["m", "n"])
    row = contrasts_table(table, [], [], [contrast]).row(0, named=True)
    assert (row["model"], row["other_model"], row["other_k"], row["difference"]) == ("m", "n", 2, -0.25)
    assert "is not shown to pick better or worse than n (t, k = 2, full)" in row["finding"]


def test_the_best_of_several_is_named_with_a_warning():
    metrics = pl.DataFrame(
        {
            "model": "m", "task": "t", "k": 4, "variant": ["full", "brief", "vote"],
            "selector": ["choose", "choose", "majority"], "n": 9, "dg_diff": [0.01, 0.02, 0.5],
            "unit": "percent", "informative": True,
        }
    )  # fmt: skip
    silent = metrics.with_columns(informative=pl.col("variant") != "brief")
    assert best_of_several(silent, ["choose"]) == [], "what cannot speak is no best"
    [line] = best_of_several(metrics, ["choose"])
    assert "of 2 ways of asking brief scores best, DG-Diff +2.0" in line
    assert "best of several" in line
    assert best_of_several(metrics[:1], ["choose"]) == []


CROSSED = [
    Cell(model, "t", 4, variant, asked)
    for model in ("m", "n")
    for variant, asked in (
        ("full", "m"),
        ("full", "n"),
        ("likelihood", None),
        ("likelihood", "m" if model == "n" else "n"),
    )
]


def shown(pairs):
    return {tuple((c.model, c.variant, c.discriminator) for c in pair) for pair in pairs}


def test_judges_are_compared_on_one_pool_with_the_model_itself():
    pairs = shown(pairs_of(CROSSED, [], []))
    assert pairs == {
        (("m", "full", "n"), ("m", "full", "m")), (("n", "full", "m"), ("n", "full", "n")),
        (("m", "likelihood", "n"), ("m", "likelihood", None)),
        (("n", "likelihood", "m"), ("n", "likelihood", None)),
    }  # fmt: skip


@pytest.mark.parametrize(("one", "two"), [("m", "n"), ("n", "m")])
def test_contrasts_of_models_and_of_judges_whatever_the_order_of_names(one, two):
    models = shown(Contrast(models=[one, two]).pairs(CROSSED))
    assert models == {
        ((one, "full", one), (two, "full", two)), ((one, "full", one), (two, "full", one)),
        ((one, "full", two), (two, "full", two)), ((one, "likelihood", None), (two, "likelihood", None)),
    }  # fmt: skip
    judges = shown(Contrast(discriminators=[one, two]).pairs(CROSSED))
    assert judges == {
        ((pool, "full", one), (pool, "full", two)) for pool in ("m", "n")
    } | {
        ((one, "likelihood", None), (one, "likelihood", two)),
        ((two, "likelihood", one), (two, "likelihood", None)),
    }  # fmt: skip
