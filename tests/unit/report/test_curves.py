"""Curves over any number of candidates, against what every subset of the pool would score and take."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from selfincorrect.discriminate.choices import SCHEMA
from selfincorrect.report.best_of import best_of_table
from selfincorrect.report.compute import compute_tables
from selfincorrect.report.curves import Pool, curves
from selfincorrect.report.figures import best_of, compute
from selfincorrect.report.worth import amount, worth
from tests.support.curves import KINDS, NAMES, SIZE, WAYS, asked_about, files, form, kinds_of, pool_of


@pytest.mark.parametrize("options", WAYS)
def test_a_pointwise_curve_is_the_mean_over_all_subsets(options):
    options = {"selector": "score", **options}
    _, row = asked_about(pool_of(NAMES), options)
    items, pool = files(row)
    curve, *_ = curves(items, {("m", "t"): pool}, kinds_of(options), {"m": SIZE})
    assert curve.many == tuple(range(1, 9))
    for j in range(2, 9):
        subsets = list(combinations(range(8), j))
        scores, calls = [], []
        for some in subsets:
            asked, chosen = asked_about(pool_of([NAMES[place] for place in some]), options)
            best = chosen["shared"] or [chosen["chosen_sample"]]
            scores.append(np.mean([form(NAMES[some[place]]) == "delta" for place in best]))
            calls.append(len(set(asked.requests)))
        assert curve.scores[0, j - 1] == pytest.approx(np.mean(scores))
        drawn = j * np.mean(range(8))  # tokens of the answers
        assert curve.effort.written[0, j - 1] - drawn == pytest.approx(np.mean(calls))


def test_ends_of_a_curve_are_drawing_one_and_what_was_asked():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    items, pool = files(row)
    curve, *_ = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    drawing = curve.effort
    assert curve.scores[0, 0] == pytest.approx(3 / 8)
    assert (drawing.read[0, 0], drawing.alone[0, 0]) == (20, 50)  # one prompt, nothing to choose
    assert drawing.operations[0, 0] == pytest.approx(
        SIZE.operations(30, 20) + np.mean([SIZE.operations(50, out) for out in range(8)])
    )
    choosing = {name: getattr(drawing, name)[0, -1] for name in ("read", "alone", "written")}
    assert choosing["read"] == pytest.approx(20 + row["tokens_own"])
    assert choosing["alone"] == pytest.approx(50 + row["tokens_alone"])
    assert choosing["written"] == pytest.approx(sum(range(8)) + row["tokens_out"])


def test_a_choice_that_failed_is_in_no_curve():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    (one, pool), (two, _) = files(row), files(row)
    failed = two.with_columns(
        question_id=pl.lit("q1"),
        chosen_grade=pl.lit(None, pl.Float64),
        scores=pl.lit([None] * 8, one.schema["scores"]),
    )
    more = [table.with_columns(question_id=pl.lit("q1")) for table in pool[:2]]
    pool = Pool(*map(pl.concat, zip(pool[:2], more, strict=True)), pool.choices)
    found = list(curves(pl.concat([one, failed]), {("m", "t"): pool}, KINDS, {"m": SIZE}))
    assert all(curve.names.tolist() == ["q0"] for curve in found)


def three(variant, **changed):
    """Choices of one question among three candidates, of which two agree."""
    row = dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": 3, "variant": variant, "how": "scored"}
    return row | {"scores": [0.2, 0.2, 0.9], "chosen_sample": 2} | changed


@pytest.mark.parametrize(
    ("variant", "scores"),
    [
        ("likelihood", [2 / 3, 1 / 3, 0]),  # the wrong answer is the likeliest
        ("vote", [2 / 3, (1 + 0.5 + 0.5) / 3, 1]),
        ("nearest", [2 / 3, (1 + 0.5 + 0.5) / 3, 1]),
        ("other", [1]),  # of what was asked only that is known
    ],
)
def test_each_kind_of_choice_has_its_curve(variant, scores):
    row = three(variant) | ({"chosen_sample": 0} if variant == "other" else {})
    items, pool = files(row, ("Delta", "delta", "Alfa"))
    curve, *_ = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    assert curve.scores[0] == pytest.approx(scores)
    assert curve.exact == (variant != "other")
    assert np.isfinite(curve.effort.operations).all()  # a rule asks nothing


def test_comparisons_have_a_curve_where_all_were_made():
    wins = {(0, 1): 0.5, (0, 2): 0.1, (1, 2): 0.2}
    both = [*wins.items(), *((pair[::-1], 1 - p) for pair, p in wins.items())]
    told = [{"samples": list(pair), "shares": [p, 1 - p]} for pair, p in both]
    for readings, count in ((told, 3), (told[:-1], 1)):
        items, pool = files(three("pairs", readings=readings), ("Delta", "delta", "Alfa"))
        [curve] = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
        assert len(curve.many) == count
    items, pool = files(three("pairs", readings=told), ("Delta", "delta", "Alfa"))
    [curve] = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    assert curve.scores[0] == pytest.approx([2 / 3, (1 + 0 + 0) / 3, 0])


def test_tables_figures_and_sentences_of_curves():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    told = [row, dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": 8, "variant": "vote", "how": "majority",
            "chosen_sample": 2, "scores": [0.375] * 8}]  # fmt: skip
    made = [files(each) for each in told]
    pool = made[0][1]._replace(choices=pl.concat([each.choices for _, each in made]))
    found = list(curves(pl.concat([each for each, _ in made]), {("m", "t"): pool}, KINDS, {"m": SIZE}))
    assert [curve.rule for curve in found] == ["", "split 0.5", "split 0.75", "", "stop 0.95"]
    tables = compute_tables(found, [], ["vote"], 3)
    first = tables["compute"].filter(pl.col("j") == 1)
    assert first["score"].to_list() == pytest.approx([3 / 8] * 5)
    assert first["operations"].n_unique() == 1
    metrics = pl.DataFrame({"task": ["t"], "unit": ["percent"]})
    figure = compute.draw({"compute": tables["compute"], "metrics": metrics})
    assert len(figure.axes[0].lines) == 6  # five ways and the front
    [line] = worth(tables["compute"], tables["overtaking"])
    assert line.startswith("m on t: most is scored by ")
    table = best_of_table(found)
    assert table["variant"].unique(maintain_order=True).to_list() == ["alone", "vote"]
    drawn = best_of.draw({"best_of": table, "metrics": metrics})
    assert list(drawn.axes[0].lines[0].get_xdata()) == list(range(1, 9))


def test_amounts_are_told_to_three_digits():
    assert amount(1.2345e10, "operations") == "12.3 billion operations"
    assert amount(43.21, "tokens") == "43.2 tokens"
    assert amount(1234, "tokens") == "1,234 tokens"
    assert amount(9.996e8, "operations") == "1 billion operations"
    assert amount(999.7, "tokens") == "1,000 tokens"
