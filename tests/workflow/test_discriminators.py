"""Models that are asked about the answers of others, through the workflow."""

import json

import polars as pl
import pytest
import yaml

OTHER = {
    "rules": [
        {"match": r"capital of [^\n]*\nAnswer:$", "answers": ["Paris", "Rome", "Bern"]},
        {"match": ".", "answers": ["1", "2"]},
    ]
}
PLACES = [f"{name}land" for name in "ABCDEFGHIJKLMNOPQRSTUVWX"]  # more than a prior is learnt from
TABLE = {"source": {"path": "mine.csv"}}
VARIANTS = {
    "full": {"discriminators": "all"},
    "prior": {"selector": "label_probability", "calibrate": "prior", "discriminator": "other"},
    "true": {"selector": "p_true", "discriminators": ["other", "scripted"]},
    "read": {"selector": "likelihood", "discriminators": "all"},
    "vote": {"selector": "majority"},
    "joined": {"selector": "ensemble", "of": ["true", "vote"], "models": ["scripted", "other"]},
}


@pytest.fixture
def crossed(workflow):
    (workflow.folder / "other.yaml").write_text(yaml.safe_dump(OTHER))
    table = "country,capital,accepted\n" + "".join(f"{place},Paris,\n" for place in PLACES)
    (workflow.folder / "mine.csv").write_text(table)
    rows = [
        {"question": f"What is the capital of {place}?", "sample": sample, "text": text}
        for place in PLACES[:3]
        for sample, text in enumerate(("Paris", "Rome", "Tokyo", "Tokyo"))
    ]
    (workflow.folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    models = {
        **workflow.config["models"],
        "other": {"source": "./other.yaml", "prompt": "chat", "engine": "scripted"},
        "pool": {"pools": {"capitals": {"path": "pool.jsonl"}}},
    }
    configure = workflow.configure
    workflow.configure = lambda **changes: configure(models=models, variants=VARIANTS, k=[4], **changes)
    return workflow


def test_every_model_is_asked_about_every_pool_in_any_number_of_shards(crossed):
    crossed.configure(tasks={"capitals": TABLE})
    crossed.run()
    names = ("scripted", "other", "pool")
    whole = {name: crossed.table(f"{name}/capitals/k4/choices.parquet") for name in names}
    ways = {
        name: table.select("variant", "discriminator").unique(maintain_order=True).rows()
        for name, table in whole.items()
    }
    assert ways["scripted"] == [
        ("full", "scripted"), ("full", "other"), ("prior", "other"), ("true", "other"), ("true", "scripted"),
        ("read", None), ("read", "other"), ("vote", None), ("joined", None),
    ]  # fmt: skip
    assert [way for way in ways["pool"] if way[1]] == [
        ("full", "scripted"), ("full", "other"), ("prior", "other"), ("true", "other"), ("true", "scripted"),
        ("read", "scripted"), ("read", "other"),
    ]  # fmt: skip
    assert whole["pool"].filter(pl.col("variant") == "read")["valid"].all()
    # What each model is shown of a pool is the same.
    shown = whole["scripted"].filter((pl.col("variant") == "full") & (pl.col("k") == 4)).sort("question_id")
    own, others = (shown.filter(pl.col("discriminator") == name) for name in names[:2])
    assert own.height == others.height == len(PLACES)
    assert own["prompt"].to_list() == others["prompt"].to_list()
    # Tables have a row for each way, and models are compared on one pool.
    metrics = crossed.table("tables/metrics.parquet")
    cells = metrics.select("model", "variant", "discriminator")
    assert cells.is_unique().all()
    matrix = crossed.table("tables/matrix.parquet")
    assert set(matrix.filter("own").select("model", "discriminator").rows()) == {
        ("scripted", "scripted"), ("other", "other"),
    }  # fmt: skip
    judged = matrix.filter(pl.col("variant") == "true")
    assert (judged["judged"] > 0).all()
    assert (judged["verifier_gain"] - judged["precision"] + judged["base"]).abs().max() < 1e-12
    contrasts = crossed.table("tables/contrasts.parquet")
    pairs = contrasts.select(
        "model", "variant", "discriminator", "other_variant", "other_discriminator"
    ).rows()
    assert ("scripted", "full", "other", "full", "scripted") in pairs
    report = (crossed.folder / "results/report.html").read_text()
    assert "full by other" in report
    # In shards: the same, though the prior is learnt from questions of all of them, and nothing is asked.
    stored = crossed.stored()
    crossed.configure(tasks={"capitals": TABLE | {"shards": 3}})
    done = crossed.run("--", *(f"results/{name}/capitals/k4/choices.parquet" for name in names))
    assert sorted((crossed.path("pool/capitals/choices/other")).glob("*.parquet"))[-1].name == "2.parquet"
    assert "discriminate" in crossed.rules_run(done)
    assert crossed.stored() == stored
    for name, table in whole.items():
        assert crossed.table(f"{name}/capitals/k4/choices.parquet").equals(table), name


def test_a_new_discriminator_asks_the_others_nothing(crossed):
    crossed.configure(tasks={"capitals": TABLE | {"limit": 8}})
    crossed.run("--", "results/scripted/capitals/choices/scripted/0.parquet")
    before = crossed.path("scripted/capitals/choices/scripted/0.parquet").stat().st_mtime_ns
    done = crossed.run("--", "results/scripted/capitals/k4/choices.parquet")
    assert done.stdout.count("rule discriminate:") + done.stderr.count("rule discriminate:") == 1
    assert crossed.path("scripted/capitals/choices/scripted/0.parquet").stat().st_mtime_ns == before
