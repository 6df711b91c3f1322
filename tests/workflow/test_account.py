"""What a run says that it took, beside its response store."""

import json

import pytest


def stored(folder):
    """What the response store of a run holds: by its key's beginning, each answer."""
    lines = [line for path in folder.rglob("store/**/*.jsonl") for line in path.read_text().splitlines()]
    return {each["key"][:16]: each["value"] for each in map(json.loads, lines)}


def test_the_account_is_that_of_the_store_to_the_token(finished):
    answers = stored(finished.folder)
    account = finished.table("tables/accounting.parquet")
    assert account["stage"].to_list() == ["generate", "discriminate"]
    assert account["answers"].sum() == len(answers) > 0
    for name in ("tokens_in", "tokens_out"):
        assert account[name].sum() == sum(value[name] for value in answers.values())
    for name in ("scripted/capitals/candidates.parquet", "scripted/capitals/k4/choices.parquet"):
        table = finished.table(name)
        named = table.explode("answers").drop_nulls("answers").unnest("answers", separator="_")
        assert set(named["answers_answer"]) <= set(answers)
        assert table["tokens_out"].sum() == named["answers_tokens_out"].sum()
    first = finished.table("tables/compute.parquet").filter(j=1)
    metrics = finished.table("tables/metrics.parquet")
    assert first["score"].to_list() == pytest.approx([metrics["s_gen"][-1]] * first.height)
