"""Reasoning is no answer: for the one function that takes it off, and for every reader that must use it."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from selfincorrect.discriminate.parse import parse_choice, parse_pattern
from selfincorrect.discriminate.parse_score import parse_score
from selfincorrect.discriminate.parse_text import parse_text
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import Response
from selfincorrect.errors import UserError
from selfincorrect.generate.candidates import cut_text
from selfincorrect.tasks import aliases, gsm8k, mt_bench, triviaqa, truthfulqa
from selfincorrect.tasks import registry as tasks
from tests.conftest import ROOT
from tests.support.tasks import EACH_KIND

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "thoughts.yaml").read_text(encoding="utf-8"))
OPENED = "<think>9*2=18, so maybe 20\n### 1\nScore: 3 [[3]]\nParis"
CLOSED = f"{OPENED}\n</think>\n"


@pytest.mark.parametrize("case", CASES, ids=lambda c: repr(c["output"])[:40])
def test_answer(case):
    assert thoughts.answer(case["output"]) == case["answer"]
    assert thoughts.unfinished(case["output"]) == (case["answer"] is None)


@given(
    st.lists(
        st.sampled_from(
            ["<think>", "</think>", "[THINK]", "[/THINK]", "\n", "a", "</s>", "<eos>", "<|im_end|>"]
        )
    )
)
def test_an_answer_holds_no_tag_and_reads_itself(pieces):
    answer = thoughts.answer("".join(pieces))
    if answer is not None:
        assert "think>" not in answer.lower()
        assert "THINK]" not in answer
        assert "<eos>" not in answer


@pytest.mark.parametrize("name", EACH_KIND)
def test_no_task_reads_a_thought(name):
    task = tasks.get_task(name)
    readers = [task.trim, task.final, task.extract, *(extract for extract, _ in task.GRADINGS.values())]
    for read in readers:
        assert not read(OPENED)
        assert read(f"{CLOSED}Rome has 7") == read("Rome has 7")
        assert read(f"{CLOSED.removeprefix('<think>')}Rome has 7<|im_end|>") == read("Rome has 7")


def test_no_choice_score_or_judge_reads_a_thought():
    for read in (
        lambda text: parse_choice(text, ["1", "2"], "### {label}").how,
        lambda text: parse_choice(text, ["1", "2"], "{label}").how,
        lambda text: parse_pattern(text, ["1", "2"], r"### (\d)").how,
        lambda text: parse_text(text, ["Paris"], ["1. Paris"], "{text}", aliases.extract).how,
    ):
        assert read(OPENED) == "thought"
    assert parse_choice(f"{CLOSED}### 2", ["1", "2"], "### {label}").parsed == "2"
    assert parse_text(
        f"{CLOSED}Rome", ["Paris", "Rome"], ["1. Paris", "2. Rome"], "{text}", aliases.extract
    ).slots == (1,)
    assert parse_score(OPENED) is None
    assert parse_score(f"{CLOSED}8") == 8

    def said(text):
        return Response(text, "", "stop", 1, 1, -0.5)

    assert mt_bench.rating(said(OPENED)) is None
    assert mt_bench.rating(said(f"{CLOSED}Rating: [[8]]")) == 8
    assert truthfulqa.agreement(said(f"{CLOSED}yes")) is not None
    for thinking in (said("<think>yes"), replace(said(""), reasoning="yes")):
        with pytest.raises(UserError, match="A judge begins with a thought"):
            truthfulqa.agreement(thinking)


def test_examples():
    assert triviaqa.extract("<think>\nhm\n</think>\nParis") == "paris"
    assert gsm8k.extract("<think>9*2=18, so maybe 20") is None
    assert mt_bench.rating(Response("Perhaps [[5]].\n</think>\nRating: [[8]]", "", "stop", 1, 1, None)) == 8


@pytest.mark.parametrize(
    ("text", "stop", "cut"),
    [
        ("Paris\nRome", ["\n"], "Paris"),
        ("\nParis", ["\n"], ""),
        ("<think>\nhm\n</think>\n\nParis\nRome", ["\n"], "<think>\nhm\n</think>\n\nParis"),
        ("<think>\nhm\n", ["\n"], None),
        ("Paris\n<think>or", ["\n"], "Paris"),
        ("hm\n</think>Paris\nRome", ["\n"], "hm\n</think>Paris"),
        ("<think>Q: </think>5 Q: next", ["Q:", "\n"], "<think>Q: </think>5 "),
        ("Paris", ["\n"], None),
        ("Paris", [], None),
    ],
)
def test_stop_strings_count_after_thoughts(text, stop, cut):
    place = thoughts.stop_at(text, stop)
    assert (None if place is None else text[:place]) == cut


def test_a_prompt_that_ends_in_an_opening_tag_opens_the_thought():
    assert thoughts.opening("<|im_start|>assistant\n<think>\n") == "<think>"
    assert thoughts.opening("[INST] Hi [/INST][THINK]") == "[THINK]"
    assert thoughts.opening("<|im_start|>assistant\n<think>\n\n</think>\n\n") == ""
    assert thoughts.opening("Write <think> in capitals.\nAnswer:") == ""


def test_a_long_thought_costs_no_answer_where_texts_are_cut():
    text = "<think>" + "a " * 60_000 + "</think>\n#### 18" + " x" * 60_000
    cut, missing = cut_text(text, 100_000)
    assert gsm8k.extract(cut) == "18"
    assert missing == len(text) - len(cut) > 0
    assert len(thoughts.answer(cut)) <= 100_000
    assert cut_text("x" * 11, 10) == ("x" * 10, 1)
    assert cut_text("<think>" + "x" * 11, 10)[0] == "<think>xxx"
    assert cut_text(None, 10) == (None, 0)


def test_what_is_blank_before_a_thought_or_a_mark_after_it_is_no_answer():
    assert thoughts.stop_at("\n<think>hm\n</think>\nParis\nx", ["\n"]) == len("\n<think>hm\n</think>\nParis")
    assert thoughts.stop_at("<think>hm</think>\n<answer>\nParis</answer>", ["\n"]) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [("Lima", None), ("<think>a</think>Lima", 16), ("a</think> Lima", 9), ("<think>a", 8), ("", None)],
)
def test_where_thoughts_end(text, end):
    assert thoughts.end(text) == end
