"""Ways of choosing side by side: costs and agreement."""

import polars as pl
import pytest

from selfincorrect.report.best_of import best_of_table
from selfincorrect.report.figures import best_of
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


def pairs():
    """In q1 the last always wins, in q2 nobody does, q3 is decided."""
    wins = {(0, 1): 0.5, (0, 2): 0.1, (1, 2): 0.2}
    both = [*wins.items()] + [(pair[::-1], 1 - p) for pair, p in wins.items()]
    told = {
        "q1": [each for pair, p in both for each in reading(pair, p)],
        "q2": [each for pair, _ in both for each in reading(pair, 0.5)],
        "q3": None,
    }
    about = {"k": 3, "variant": "pairs", "discriminator": None}
    rows = [about | {"question_id": name, "readings": each} for name, each in told.items()]
    return pl.DataFrame(rows, schema_overrides={"discriminator": pl.String})


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
        "tokens_own": [16, None, 8],
        "readings": [reading((0, 1), 0.8) + reading((1, 0), 0.4), None, reading((0, 1), 0.5)],
    }  # fmt: skip
    integers = {"k": pl.Int32, "calls": pl.Int32, "discriminator": pl.String}
    table = pl.DataFrame(made, schema_overrides=integers)
    found = selectors_table(metrics, {("m", "t"): table}, ["best"], {"m": 10}).to_dicts()
    assert [each["labels_used"] for each in found] == [False, True]
    costs = ("calls", "calls_undecided", "tokens_read", "label_mass", "bounded", "decided")
    assert [found[0][name] for name in costs] == [3, 4.5, 30, pytest.approx(0.7), *[pytest.approx(1 / 3)] * 2]
    assert (found[0]["tokens_own"], found[0]["operations"]) == (8, 160)
    assert found[0]["between_candidates"] == pytest.approx(0.2**2 / (0.2**2 + 0.1**2))
    assert found[0]["cyclic"] is None
    assert found[1]["calls"] is None


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


def test_best_of_j_of_what_can_be_told():
    rows = items("one", [0, 0, 0], [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    rows += (
        items("vote", [0, 0, 0], [None] * 3)
        + items("pairs", [0, 0, 0], [None] * 3)
        + items("two", [0, 0, 0], [[1.0] * 3] * 3)
    )
    table = pl.DataFrame(rows).with_columns(pl.col("question_id").alias("cluster"))
    found = best_of_table(table, GRADES, ["one"], ["vote"], ["pairs"], {("m", "t"): pairs()})
    assert found["variant"].unique(maintain_order=True).to_list() == ["one", "vote", "pairs"]
    scores = dict(found.select(pl.concat_str("variant", "j"), "score").iter_rows())
    drawn = (2 / 3 + 1 / 3 + 1) / 3
    assert [scores["one1"], scores["vote1"]] == pytest.approx([drawn] * 2)
    assert scores["one3"] == pytest.approx((1 + 0 + 1) / 3)
    assert scores["vote3"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    assert scores["pairs2"] == pytest.approx(((1 + 0 + 0) / 3 + (0.5 + 0 + 0.5) / 3 + 1) / 3)
    assert scores["pairs3"] == pytest.approx((0 + 1 / 3 + 1) / 3)
    figure = best_of.draw({"best_of": found, "metrics": pl.DataFrame({"task": ["t"], "unit": ["percent"]})})
    assert [line.get_label() for line in figure.axes[0].lines] == ["one", "vote", "pairs"]
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 2, 3]


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
