"""Ways of choosing side by side: costs and agreement."""

import polars as pl
import pytest

from selfincorrect.report.selectors import agreement_table, selectors_table
from selfincorrect.report.tables import flips_table
from selfincorrect.report.ways import findings

GRADES = {
    ("m", "t"): pl.DataFrame(
        {
            "question_id": ["q1"] * 3 + ["q2"] * 3 + ["q3"] * 3,
            "sample": [0, 1, 2] * 3,
            "extracted": ["a", "a", "b", None, None, "c", "d", "d", "d"],
        }
    )
}


def items(variant, chosen, scores):
    grades = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    about = {"model": "m", "task": "t", "k": 3, "variant": variant, "discriminator": None}
    rows = zip(["q1", "q2", "q3"], grades, chosen, scores, strict=True)
    about |= {"how": "scored"}
    found = [about | {"question_id": q, "grades": g, "chosen_sample": c, "scores": s} for q, g, c, s in rows]
    return [*found[:2], found[2] | {"how": "decided"}]


def test_agreement_is_of_answers_on_mixed_questions():
    table = pl.DataFrame(
        items("one", [0, 0, 0], [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
        + items("two", [1, 1, 1], [[1.0, 3.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
        + items("none", [None, 0, 0], [[None] * 3, [1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    )
    found = agreement_table(table, GRADES, {"two": 0, "one": 1, "none": 2})
    pairs = found.select("variant", "other_variant", "mixed", "same", "rank_correlation", "ranked").rows()
    assert pairs[0][:4] == ("two", "one", 2, 0.5)  # the same form in q1, two answers without one in q2
    assert pairs[0][4:] == (pytest.approx((-0.5 - 1.0) / 2), 2)
    assert pairs[1] == ("two", "none", 1, 0.0, None, 0)
    assert pairs[2] == ("one", "none", 1, 1.0, None, 0)


def reading(samples, first):
    return [{"samples": list(samples), "shares": [first, 1 - first]}]


def test_costs_are_a_question_and_a_question_asked():
    names = ("dg_diff", "ci_low", "ci_high", "dg_diff_mixed", "net", "p_comp", "headroom_share", "invalid",
        "tied_mixed", "p_better", "p_holm", "p_worse_holm")  # fmt: skip
    row = {"model": "m", "task": "t", "k": 3, "selector": "pairwise", "verdict": "undecided"}
    row |= {"discriminator": "m"}
    metrics = pl.DataFrame([row | dict.fromkeys(names, 0.5) | {"variant": v} for v in ("pairs", "best")])
    made = {
        "question_id": ["q1", "q2", "q3"], "asked": [None] * 3, "k": [3] * 3, "variant": ["pairs"] * 3,
        "discriminator": ["m"] * 3,
        "how": ["scored", "decided", "scored"], "calls": [6, 0, 3], "tokens_in": [60, None, 30],
        "tokens_out": [0, None, 0], "label_mass": [0.8, None, 0.6], "bounded": [True, False, False],
        "tokens_own": [16, None, 8], "tokens_alone": [26, None, 18],
        "readings": [reading((0, 1), 0.8) + reading((1, 0), 0.4), None, reading((0, 1), 0.5)],
    }  # fmt: skip
    integers = {"k": pl.Int32, "calls": pl.Int32, "discriminator": pl.String}
    table = pl.DataFrame(made, schema_overrides=integers)
    about = {"model": "m", "task": "t", "k": 3, "variant": "pairs", "discriminator": "m"}
    taken = pl.DataFrame([about | {"operations": 160.0, "operations_alone": 300.0}])
    taken = taken.with_columns(pl.col("k").cast(pl.Int32))
    found = selectors_table(metrics, {("m", "t"): table}, ["best"], taken).to_dicts()
    assert [each["labels_used"] for each in found] == [False, True]
    costs = ("calls", "calls_undecided", "tokens_in", "label_mass", "bounded", "decided")
    assert [found[0][name] for name in costs] == [3, 4.5, 30, pytest.approx(0.7), *[pytest.approx(1 / 3)] * 2]
    assert (found[0]["tokens_own"], found[0]["tokens_alone"]) == (8, pytest.approx(44 / 3))
    assert (found[0]["operations"], found[0]["operations_alone"]) == (160, 300)
    assert found[0]["between_candidates"] == pytest.approx(0.2**2 / (0.2**2 + 0.1**2))
    assert found[0]["cyclic"] is None
    assert found[1]["calls"] is None
    untold = table.with_columns(pl.lit(None, pl.Int64).alias(name) for name in ("tokens_in", "tokens_own"))
    first = selectors_table(metrics, {("m", "t"): untold}, ["best"], taken).to_dicts()[0]
    assert (first["calls"], first["tokens_in"], first["tokens_own"], first["tokens_written"]) == (
        3,
        None,
        None,
        0,
    )


def test_the_report_says_which_ways_choose_better_and_which_worse():
    told = [
        ("likelihood", 4, False, "better"), ("majority", 4, False, "better"), ("p_true", 4, False, "worse"),
        ("full", 4, False, "undecided"), ("scored", 4, False, "better"), ("oracle", 4, True, "better"),
        ("likelihood", 2, False, "worse"),
    ]  # fmt: skip
    table = pl.DataFrame(told, schema=["variant", "k", "labels_used", "verdict"], orient="row")
    holm = {"likelihood": (0.01, 1.0), "p_true": (1.0, 0.02), "full": (0.2, 1.0), "scored": (0.06, 1.0)}
    table = table.with_columns(
        pl.col("variant").replace_strict({name: p[side] for name, p in holm.items()}, default=None).alias(of)
        for side, of in enumerate(("p_holm", "p_worse_holm"))
    )
    table = table.with_columns(pl.lit("m").alias("model"), pl.lit("triviaqa").alias("task"))
    [line] = findings(table)
    assert line == (
        "m on TriviaQA: likelihood and majority choose better than drawing one; p_true chooses worse; "
        "of 2 more it is not shown."
    )


def test_a_variant_that_shows_several_orders_is_compared_with_itself():
    rows = [
        {"question_id": "q1", "picks": [0, 1, 2]},  # the first two are the same answer
        {"question_id": "q2", "picks": [0, 1, None]},
        {"question_id": "q3", "picks": [None, 2, None]},
    ]
    about = {
        "k": 3,
        "variant": "turned",
        "discriminator": "m",
        "asked": None,
        "chosen_sample": 0,
        "valid": True,
    }
    other = about | {"variant": "once", "picks": None, "question_id": "q1"}
    schema = {"k": pl.Int32, "asked": pl.String, "picks": pl.List(pl.Int32)}
    table = pl.DataFrame([*(about | row for row in rows), other], schema_overrides=schema)
    [row] = flips_table({("m", "t"): table}, GRADES, []).to_dicts()
    assert (row["variant"], row["other_variant"], row["n"], row["flips"]) == ("turned", "turned", 4, 3)
    assert row["flip_rate"] == pytest.approx((2 / 3 + 1) / 2)
    assert row["uniform_rate"] == pytest.approx(2 / 3)
