"""The first screen: one sentence that says what was found, and a panel for each model and task."""

import polars as pl
import pytest

from selfincorrect.report.page.belief import doubts
from selfincorrect.report.page.opening import panels, sentence

ROW = {
    "model": "m", "task": "capitals", "k": 4, "variant": "full", "selector": "choose", "discriminator": "m",
    "unit": "percent", "n": 193, "mixed_questions": 60, "s_gen": 0.67, "majority": 0.73, "oracle": 0.81,
    "dg_diff": 0.05, "ci_low": 0.01, "ci_high": 0.09, "exact_low": None, "exact_high": None, "luck": -0.01,
    "p_holm": 0.5, "p_worse_holm": 1.0, "verdict": "undecided", "informative": True, "nearly_constant": False,
    "top_slot": 2, "tied_mixed": 0.0, "valid": 190, "choices": 193, "mde": 0.02,
}  # fmt: skip
BETTER, WORSE = {"p_holm": 0.01}, {"p_worse_holm": 0.01, "dg_diff": -0.05}
CONSTANT = {"informative": False, "nearly_constant": True, "p_holm": 0.01}
LIKELY = {"variant": "likelihood", "selector": "likelihood", "discriminator": None, "dg_diff": 0.076}
VOTE = {"variant": "vote", "selector": "majority", "discriminator": None, "p_holm": None, "verdict": "better"}
OTHER = {"task": "triviaqa"}


def table(*rows):
    return pl.DataFrame([ROW | row for row in rows], infer_schema_length=None)


ASKED = "Asked which of its 4 answers is best, "


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{}], f"{ASKED}m is not shown to pick better or worse than drawing one on Capitals."),
        ([BETTER], f"{ASKED}m picks better than drawing one on Capitals (+5.0 points)."),
        ([WORSE], f"{ASKED}m picks worse than drawing one on Capitals (-5.0 points)."),
        ([CONSTANT], f"{ASKED}m names position 2 on Capitals, whatever stands there."),
        (
            [CONSTANT, LIKELY | BETTER],
            f"{ASKED}m names position 2 on Capitals, whatever stands there; choosing by “likelihood” does "
            "so: +7.6 points (m on Capitals).",
        ),
        (
            [{}, OTHER | CONSTANT, LIKELY | BETTER, LIKELY | OTHER | BETTER | {"dg_diff": 0.02}],
            f"{ASKED}no model is shown to pick better than drawing one (it names one position, "
            "whatever stands there, in 1 of 2 cases); choosing by “likelihood” does so in all 2 cases: "
            "up to +7.6 points (m on Capitals).",
        ),
        (
            [BETTER, OTHER | WORSE, LIKELY],
            f"{ASKED}a model picks better than drawing one in 1 of 2 cases (worse in 1 of 2 cases); "
            "no other way of choosing is shown to do so.",
        ),
        (
            [VOTE],
            "No model was asked to choose here; choosing by “vote” beats drawing an answer: +5.0 points "
            "(m on Capitals).",
        ),
        (
            [VOTE | {"verdict": "undecided"}],
            "No model was asked to choose here; no way of choosing beats drawing an answer.",
        ),
        ([{"n": 0}], "Nothing was chosen here that could be compared with drawing an answer."),
        (
            [{"variant": "rate", "selector": "score"} | BETTER | {"unit": "grade", "dg_diff": 0.4}],
            "Choosing among its 4 answers by rate, m picks better than drawing one on Capitals (+0.40).",
        ),
    ],
)
def test_the_finding_in_one_sentence(rows, words):
    assert sentence(table(*rows), []) == words


def test_ways_that_know_the_grades_and_smaller_k_are_no_finding():
    told = sentence(table({}, LIKELY | BETTER, {"k": 2} | BETTER), ["likelihood"])
    assert told.endswith("drawing one on Capitals.")


def test_another_model_that_is_asked_is_another_way():
    told = sentence(table({}, {"variant": "full by o", "discriminator": "o", "dg_diff": 0.1} | BETTER), [])
    assert "m is not shown to pick" in told
    assert "choosing by “full by o” does so: +10.0 points" in told


def test_a_panel_has_every_way_on_one_axis_and_lines_for_vote_and_oracle():
    [one, two] = panels(
        table({}, LIKELY, VOTE, {"selector": "oracle"}, OTHER | {"n": 3}, OTHER | LIKELY | CONSTANT), ["full"]
    )
    assert (one.s_gen, one.majority, one.oracle, one.mixed, one.questions) == (
        "67.0",
        "73.0",
        "81.0",
        60,
        193,
    )
    assert [way.name for way in one.ways] == ["full", "likelihood"]
    assert [way.knows for way in one.ways] == [True, False]
    assert [way.speaks for way in two.ways] == [True, False]
    assert (one.zero, one.vote, one.best) == (two.zero, two.vote, two.best)
    first = one.ways[0]
    assert (first.gain, first.luck, first.interval) == ("+5.0", "-1.0", "+1.0 to +9.0")
    # Lowest is the luck of -1 point, highest the oracle's gain of 14; 4 % of these 15 are free at both ends.
    assert one.zero == pytest.approx(100 * 1.6 / 16.2, abs=0.01)
    assert first.place == pytest.approx(100 * (5 + 1.6) / 16.2, abs=0.01)
    assert 0 < first.luck_place < one.zero < first.low < first.place < first.high < one.best < 100


def test_a_panel_without_anything_to_find_has_an_axis():
    nothing = dict.fromkeys(("ci_low", "ci_high", "luck"))
    zero = dict.fromkeys(("dg_diff", "s_gen", "majority", "oracle"), 0.0)
    [panel] = panels(table(nothing | zero), [])
    assert panel.zero == panel.best == panel.ways[0].place == 50
    assert panel.ways[0].low is None


def test_doubts_are_counted():
    rows = [
        {}, BETTER | {"verdict": "better"}, {"verdict": "better"}, WORSE | {"verdict": "worse"}, CONSTANT,
        {"mixed_questions": 0, "informative": False}, {"tied_mixed": 1.0, "informative": False},
        {"valid": 4, "informative": False}, VOTE,
    ]  # fmt: skip
    control = {"variant": "sure"} | BETTER | {"verdict": "better"}
    lines = doubts(table(*rows), [])
    assert [line.split()[5] for line in lines[:4]] == ["nearly", "no", "all", "there"]
    assert all(line.startswith("In 1 of 8 cells") for line in lines[:4])
    assert "Of 4 cells that can speak, each tested at 5 %, 2 are better than drawing and 1 worse" in lines[4]
    assert "corrected for all 8 (Holm) 1 and 1 remain" in lines[4]
    assert lines[5].endswith("with 80 % power: 2.0 points on Capitals.")
    assert "No cell remains" in doubts(table(CONSTANT), [])[-1]
    known = doubts(table(*rows, control), ["sure"])
    assert known[4].startswith("Of 4 cells that can speak (and 1 of controls, which use the grades), each")
    assert "corrected for all 9" in known[4]
    [only] = doubts(table(VOTE), [])
    assert only.startswith("Only rules that need no model")
