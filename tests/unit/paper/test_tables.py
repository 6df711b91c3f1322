"""The paper's tables: every printed value, the right measured one beside it, and what readers see."""

import polars as pl
import pytest

from selfincorrect.config.schema import VariantConfig
from selfincorrect.paper import published
from selfincorrect.paper import tables as paper
from selfincorrect.paper.published import setting_of
from selfincorrect.refine.refinement import measured

DEFAULTS = VariantConfig().model_dump(mode="json")
SETTINGS = {
    "k": 4,
    "settings": {"plain": "full", "twice": "icl-2x", "easy": "simplified"},
    "published": {"mine": "LLaMA-2 7B Chat"},
}


def metrics(**changes):
    row = {
        **{"model": "mine", "task": "gsm8k", "k": 4, "selector": "choose", "variant": "plain", "n": 50},
        **{"discriminator": "mine"},
        **{"unit": "percent", "grading": "flexible", "invalid": 0.1, "best_mixed": 0.5},
        **{"s_gen": 0.25, "s_gen_low": 0.2, "s_gen_high": 0.3},
        **{"s_disc": 0.2, "s_disc_low": 0.1, "s_disc_high": 0.3},
        **{"dg_diff": -0.05, "ci_low": -0.1, "ci_high": 0.0, "p_mcnemar": 0.8, "p_wilcoxon_drop": None},
    }
    return pl.DataFrame([row | changes for changes in changes["rows"]], infer_schema_length=None)


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        ({}, "full"), ({"shots": 2}, "icl-2x"), ({"shots": 3}, "icl-3x"), ({"rationale": True}, "cot"),
        ({"answer": "text"}, "verbatim"), ({"selector": "score"}, "score"), ({"wording": 3}, "wording-3"),
        ({"distractors": "easy", "tasks": ["gsm8k"], "models": ["m"]}, "simplified"),
        ({"shots": 2, "wording": 2}, None), ({"selector": "majority"}, None), ({"order": "permuted"}, None),
    ],
)  # fmt: skip
def test_settings_are_told_by_their_options(options, setting):
    assert setting_of(VariantConfig(**options).model_dump(mode="json"), DEFAULTS) == setting


def test_every_printed_value_is_there_once():
    empty = metrics(rows=[{}]).clear()
    made = paper.tables(empty, [], SETTINGS, [])
    counts = {
        "table2": 55 * 3 + 33,
        "table3": 21,
        "table4": 24,
        "table5": 5,
        "table6": 24,
        "table7": 8,
        "table8": 6,
        "figure9": 16,
    }
    printed_p = published.table("table2")["p_value"].is_not_null().sum()
    counts["table2"] = 55 * 3 + printed_p
    assert {name: table["published"].is_not_null().sum() for name, table in made.items()} == counts
    assert not any(paper.ran(table) for table in made.values())


def test_measured_values_stand_beside_the_models_own():
    made = paper.tables(
        metrics(rows=[{}, {"variant": "twice", "dg_diff": 0.01}, {"variant": "unknown"}]), [], SETTINGS, []
    )
    two = {
        row["quantity"]: row for row in made["table2"].filter(pl.col("model") == "mine").iter_rows(named=True)
    }
    assert (two["S_gen"]["published"], two["S_gen"]["measured"], two["S_gen"]["low"]) == (20.4, 25.0, 20.0)
    assert two["S_gen"]["difference"] == pytest.approx(4.6)
    assert two["DG-Diff"]["difference"] == pytest.approx(-5 + 2.8)
    assert (two["p"]["measured"], two["p"]["published"], two["p"]["n_published"]) == (0.8, None, None)
    assert (two["S_gen"]["n_published"], two["S_gen"]["n_measured"]) == (1319, 50)
    three = made["table3"].filter(pl.col("model") == "mine")
    assert three.select("setting", "published", "measured").rows() == [("icl-2x", -1.4, 1.0)]
    assert (
        "LLaMA-2 7B Chat"
        not in made["table3"].filter((pl.col("task") == "gsm8k") & (pl.col("setting") == "icl-2x"))["model"]
    )
    assert not paper.ran(made["figure9"]), "no simplified cell, no comparison"


def test_encoder_decoders_have_a_table_of_their_own():
    made = paper.tables(metrics(rows=[{}]), [], SETTINGS | {"published": {"mine": "Flan-UL2"}}, ["mine"])
    assert not paper.ran(made["table2"])
    row = (
        made["table4"]
        .filter((pl.col("model") == "mine") & (pl.col("quantity") == "S_disc"))
        .row(0, named=True)
    )
    assert (row["published"], row["measured"]) == (22.1, 20.0)


def test_grades_are_not_made_percent():
    made = paper.tables(
        metrics(rows=[{"task": "mt_bench", "unit": "grade", "s_gen": 5.5, "p_wilcoxon_drop": 0.3}]),
        [],
        SETTINGS,
        [],
    )
    row = (
        made["table2"]
        .filter((pl.col("model") == "mine") & (pl.col("quantity") == "S_gen"))
        .row(0, named=True)
    )
    assert (row["published"], row["measured"]) == (5.45, 5.5)
    [line] = paper.lines(made["table2"].filter(pl.col("model") == "mine"))
    assert (line["S_gen published"], line["S_gen difference"], line["p measured"]) == (
        "5.45",
        "+0.05",
        "0.300",
    )


def test_latex_is_escaped_and_grey_where_nothing_was_run():
    made = paper.tables(
        metrics(rows=[{"model": "a_b", "discriminator": "a_b", "grading": "100%"}]), [], SETTINGS, []
    )
    text = paper.latex("table2", made["table2"])
    assert r"a\_b" in text
    assert r"100\%" in text
    assert r"\textcolor{gray}{GPT-4-turbo}" in text
    assert "% Table 2." in text
    assert "| a_b " in paper.markdown("table2", made["table2"])


def test_preferences_by_hand():
    """Preferences of three questions in one round.

    For a both choices are the refined answer, for b both the first position (a tie); c has one valid choice,
    the earlier answer.
    """
    rounds = pl.DataFrame(
        {"question_id": list("abcabc"), "round": [0, 0, 0, 1, 1, 1], "grade": [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]}
    )
    preferences = pl.DataFrame(
        {
            "question_id": list("aabbcc"),
            "round": 1,
            "refined_first": [False, True] * 3,
            "refined": [True, True, False, True, None, False],
        }
    )
    questions = pl.DataFrame({"question_id": list("abc"), "cluster": list("abc")})
    first, second = measured(questions, rounds, preferences, "m", "t", "rule").iter_rows(named=True)
    assert (first["round"], first["score"], first["pairs"], first["preference"]) == (
        0,
        pytest.approx(1 / 3),
        0,
        None,
    )
    assert second["score"] == pytest.approx(2 / 3)
    assert second["preference"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert 0 <= second["preference_low"] < second["preference_high"] <= 1
    assert second["consistent"] == pytest.approx(1 / 2), "of a and b, which have both orders"
    assert second["first_position"] == pytest.approx(3 / 5), "a once, b twice, c not"
    assert second["invalid"] == pytest.approx(1 / 6)
