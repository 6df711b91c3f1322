"""What a run ends with in a terminal: a few lines for each target, and what was found."""

import polars as pl
import pytest

from selfincorrect.report.headline import headlines
from selfincorrect.report.summary import WIDTH, summary

ROW = {
    "model": "m", "task": "capitals", "k": 4, "selector": "choose", "unit": "percent", "n": 193, "note": "",
    "mixed_questions": 60, "s_gen": 0.67, "s_disc": 0.72, "majority": 0.729, "oracle": 0.813, "dg_diff": 0.05,
    "ci_low": 0.01, "ci_high": 0.09, "exact_low": 0.0, "exact_high": 0.1, "p_holm": 0.02, "p_worse_holm": 1.0,
    "informative": True, "nearly_constant": False, "tied_mixed": 0.0, "top_slot": 2, "top_slot_share": 0.31,
    "valid": 190, "choices": 193,
}  # fmt: skip
CONSTANT = {"informative": False, "nearly_constant": True, "top_slot_share": 0.98, "p_holm": 1.0}


def table(*rows):
    return pl.DataFrame([ROW | row for row in rows], infer_schema_length=None)


def against(*rows):
    schema = ["variant", "other_variant", "verdict"]
    made = pl.DataFrame(rows, schema=schema, orient="row", schema_overrides=dict.fromkeys(schema, pl.String))
    return made.with_columns(model=pl.lit("m"), task=pl.lit("capitals"), k=pl.lit(4))


FOUND = table(
    {"variant": "likelihood", "selector": "likelihood", "dg_diff": 0.076, "p_holm": 1e-6},
    {"variant": "read", "p_holm": 0.04},
    {"variant": "p-true", "dg_diff": -0.07, "p_holm": 1.0, "p_worse_holm": 0.01, "note": "Many are invalid."},
    {"variant": "full"} | CONSTANT,
    {"variant": "vote", "selector": "majority", "dg_diff": 0.06, "p_holm": None, "p_worse_holm": None},
    {"variant": "sure", "selector": "planted", "dg_diff": 0.1, "p_holm": None, "p_worse_holm": None},
    {"variant": "oracle", "selector": "oracle", "p_holm": None, "p_worse_holm": None},
    {"variant": "easy", "p_holm": 1e-9},
)
KNOWING = ["sure", "oracle", "easy"]


def test_a_target_in_lines():
    lines = summary(FOUND, KNOWING)
    assert max(map(len, lines)) <= WIDTH
    assert lines[1] == "m on Capitals, k = 4: 193 questions, 60 mixed; S_gen 67.0, vote 72.9, oracle 81.3"
    assert lines[2].split() == ["likelihood", "72.0", "+7.6", "[+1.0,", "+9.0]", "p", "<0.001"]
    assert lines[4].split()[-2:] == ["p", "0.010"], "on the side of the difference"
    assert lines[5].split()[:3] == ["vote", "72.0", "+6.0"]
    assert lines[6].split()[:2] == ["sure", "*"]
    assert lines[7].split()[:2] == ["easy", "*"]
    assert lines[8] == "  1 way cannot speak about discrimination: full (position 2 in 98 %)"
    assert not any("oracle  " in line for line in lines)
    assert lines[-1] == "Note (m capitals p-true): Many are invalid."


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"mixed_questions": 0}, "(nothing mixed)"),
        ({"tied_mixed": 1.0}, "(all tie)"),
        ({"valid": 3}, "(3 valid of 193)"),
    ],
)
def test_why_a_way_cannot_speak(row, words):
    silent = [{"variant": f"way-{number}", "informative": False} | row for number in range(20)]
    lines = summary(table(*silent), [])
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(line.strip() for line in lines)
    assert "20 ways cannot speak about discrimination: way-0 " + words in text
    assert text.count(words) == 20


def test_few_mixed_questions_have_the_exact_interval():
    assert "[+0.0, +10.0] exact" in summary(table({"variant": "full", "mixed_questions": 12}), [])[2]
    assert summary(table({"variant": "full", "n": 0}), [])[1].endswith("none has a grade")


def test_findings_survive_holm_and_name_positions():
    one, both = (
        against(("likelihood", "vote", "better")),
        against(
            ("likelihood", "vote", "better"), ("read", "vote", "better"), ("likelihood", "full", "better")
        ),
    )
    start = "m on Capitals: likelihood (+7.6 points) and read (+5.0 points) choose better than drawing one"
    end = "; p-true (-7.0 points) chooses worse; full names position 2 in 98 % of its answers."
    assert headlines(FOUND, one, KNOWING) == [f"{start}; one of them better than voting{end}"]
    assert headlines(FOUND, both, KNOWING) == [f"{start} and better than voting{end}"]
    assert headlines(FOUND, against(("likelihood", "vote", "undecided")), KNOWING) == [start + end]
    many = table(*({"variant": f"w{number}", "dg_diff": 0.01 * number} for number in range(1, 8)))
    assert (
        "w7 (+7.0 points), w6 (+6.0 points), w5 (+5.0 points), w4 (+4.0 points) and 3 more choose"
        in (headlines(many, against(), [])[0])
    )
    nothing = table({"variant": "full", "p_holm": 1.0, "mixed_questions": 0})
    assert headlines(nothing, against(), []) == [
        "m on Capitals: no way of choosing is shown to be better or worse than drawing one "
        "(no question is mixed)."
    ]


def test_who_judges_a_model_better_than_itself():
    row = {
        "model": "m", "other_model": "m", "task": "capitals", "k": 4, "variant": "read by n",
        "other_variant": "read", "discriminator": "n", "other_discriminator": "m", "unit": "percent",
        "difference": 0.1, "ci_low": 0.02, "ci_high": 0.2, "verdict": "better",
    }  # fmt: skip
    others = [{"verdict": "undecided"}, {"other_variant": "full"}, {"other_model": "n"}, {"task": "triviaqa"}]
    contrasts = pl.DataFrame([row, *(row | each for each in others)])
    [line] = headlines(FOUND, contrasts, KNOWING)
    assert line.count("itself") == 1
    assert "; read by n picks better than m itself (+10.0 points [+2.0, +20.0]); full names" in line
