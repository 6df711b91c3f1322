"""Estimates by hand, and the rates behind them."""

import polars as pl
import pytest

from selfincorrect.config.check.experiment import check
from selfincorrect.config.task_settings import task_settings
from selfincorrect.io import write_json
from selfincorrect.plan.estimate import estimate, loads, summary
from selfincorrect.plan.rates import Rates, rates
from selfincorrect.tasks.base import Question

HUB = {"source": "owner/model", "revision": "main", "prompt": "chat"}
ONE_TASK = {"tasks": {"capitals": {}}, "variants": {"full": {}}, "k": [2], "sampling": {"n": 2}}
SERVED = {"source": "some-model", "engine": "openai", "prompt": "chat"}


def test_an_estimate_by_hand(tmp_path):
    price = {"input": 2.0, "output": 10.0}
    config = check(
        {
            "models": {
                "served": SERVED | {"server": {"url": "http://127.0.0.1:1/v1", "price": price}},
                "big": HUB | {"parameters": 1e9, "dtype": "bfloat16"},
            },
            "tasks": {"capitals": {"limit": 10, "answer_tokens": 20}},
            "sampling": {"n": 5},
            "k": [2, 4],
            "variants": {"full": {}, "score": {"selector": "score"}, "vote": {"selector": "majority"}},
        }
    )
    questions = [Question(f"q{i}", f"q{i}", "What is the capital of Peru?", ("Lima",)) for i in range(30)]
    found = list(loads(config, "capitals", questions, task_settings(config, "capitals")))
    generate, discriminate = (load for load in found if load.model == "served")
    assert (generate.answers, generate.tokens_out) == (50, 50 * 20)
    assert discriminate.answers == 10 * (2 + 2 + 4), "two choices, and two and four scores"
    assert discriminate.tokens_out == discriminate.answers * 8
    rate = Rates(1e12, 1e11, "made up")
    table = estimate(config, found, rate)
    row = table.filter((pl.col("model") == "served") & (pl.col("stage") == "generate")).row(0, named=True)
    assert row["cost"] == pytest.approx((generate.tokens_in / 5 * 2 + 1000 * 10) / 1e6), (
        "five samples, one prompt paid"
    )
    assert (row["answers"], row["calls"]) == (50, 10)
    assert row["hours"] is None
    big = table.filter((pl.col("model") == "big") & (pl.col("stage") == "generate")).row(0, named=True)
    assert big["hours"] == pytest.approx((2e9 * generate.tokens_in / 1e12 + 2e9 * 1000 / 1e11) / 3600)
    assert table.filter(pl.col("stage") == "weights")["gigabytes"].to_list() == [2.0]
    assert "assumed" in rates("cuda", tmp_path / "none").basis


@pytest.mark.parametrize(
    ("variant", "times"),
    [
        ({}, 4), ({"selector": "p_true"}, 4), ({"selector": "pairwise"}, 4 + 12),  # who comes first is shared
        ({"selector": "pairwise", "schedule": "knockout"}, 6 * 2),
    ],
)  # fmt: skip
def test_what_is_read_for_choosing_is_at_least_the_candidates(variant, times):
    """Candidates of 100 tokens, each shown so many times: without demonstrations, which others have too."""
    tasks = {"tasks": {"capitals": {"answer_tokens": 100}}, "k": [4], "sampling": {"n": 4}}
    config = check({"models": {"m": HUB}, "variants": {"v": variant}, **tasks})
    questions = [Question(f"q{i}", f"q{i}", "What is the capital of Peru?", ("Lima",)) for i in range(3)]
    found = loads(config, "capitals", questions, task_settings(config, "capitals"))
    [load] = [each for each in found if each.stage == "discriminate"]
    assert 3 * times * 90 < load.tokens_read < 3 * times * 170
    assert load.tokens_read < load.tokens_in


def test_models_without_a_size_are_named_and_add_no_hours():
    sizes = {"known": 1e9, "none": None}
    config = check({"models": {name: HUB | {"parameters": size} for name, size in sizes.items()}} | ONE_TASK)
    question = Question("q", "q", "What is the capital of Peru?", ("Lima",))
    found = list(loads(config, "capitals", [question], task_settings(config, "capitals")))
    rate = Rates(1e9, 1e9, "made up")
    table = estimate(config, found, rate)
    known, none, both, *notes = summary(config, table, rate)[1:]
    assert [line.split()[-2] for line in (known, both)] == [f"{table['hours'].sum():,.2f}"] * 2
    assert none.split()[-2] == "–"
    assert "Without hours and weights: none. Write" in notes[-1]
    unsized = check({"models": {"none": HUB}} | ONE_TASK)
    table = table.filter(pl.col("model") == "none")
    assert [line.split()[-2] for line in summary(unsized, table, rate)[1:3]] == ["–", "–"]


def test_a_card_that_was_measured_takes_the_place_of_the_assumption(tmp_path):
    """Of what `bench.gpu` writes, the large model's best way of decoding counts.

    It has 8.03e9 parameters, of two operations each.
    """
    speed = [
        {"model": "random 8b", "way": "cascade", "seconds": None},
        {
            "model": "random 8b",
            "seconds": 9.0,
            "prefill_tokens_per_second": 20_000.0,
            "decode_tokens_per_second": 1_000.0,
        },
        {
            "model": "random 8b",
            "seconds": 9.0,
            "prefill_tokens_per_second": 30_000.0,
            "decode_tokens_per_second": 900.0,
        },
        {
            "model": "smollm2",
            "seconds": 1.0,
            "prefill_tokens_per_second": 9e9,
            "decode_tokens_per_second": 9e9,
        },
    ]
    write_json(tmp_path / "gpu.json", {"card": "Some Card", "speed": speed})
    found = rates("cuda", tmp_path / "gpu.json")
    assert found.basis == "measured on Some Card"
    assert found.reading == pytest.approx(2 * 8.03e9 * 30_000)
    assert found.decoding == pytest.approx(2 * 8.03e9 * 1_000)
    write_json(tmp_path / "tried.json", {"card": "cpu", "speed": speed})
    assert "assumed" in rates("cuda", tmp_path / "tried.json").basis
    assert "measured" in rates("cpu", tmp_path / "none").basis
