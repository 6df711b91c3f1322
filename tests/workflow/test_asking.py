"""Every way of asking through the workflow, on one scripted pool."""

import polars as pl
import yaml

VARIANTS = {
    "full": {},
    "rotated": {"orders": "rotations"},
    "labels": {"selector": "label_probability"},
    "prior": {"selector": "label_probability", "calibrate": "prior"},
    "once": {"selector": "label_probability", "distinct": True, "orders": "drawn"},
    "expected": {"selector": "expected_score"},
    "true": {"selector": "p_true"},
    "verified": {"selector": "verify"},
    "votes": {"samples": 3},
    "pairs": {"selector": "pairwise"},
    "strengths": {"selector": "pairwise", "aggregate": "bradley_terry"},
    "bracket": {"selector": "pairwise", "schedule": "knockout"},
    "pivots": {"selector": "pairwise", "schedule": "pivot"},
    "agreed": {"selector": "consistency"},
    "vote": {"selector": "majority"},
    "planted": {"selector": "planted", "skill": 1.0},
    "oracle": {"selector": "oracle"},
    "joined": {"selector": "ensemble", "of": ["labels", "vote"]},
}


def test_every_way_of_asking_on_one_pool(workflow):
    workflow.configure(variants=VARIANTS, k=[2, 4])
    script = workflow.folder / "script.yaml"
    told = yaml.safe_load(script.read_text())
    told["rules"].insert(0, {"match": r"capital of [A-M][^\n]*\nAnswer:$", "answers": ["Paris"]})
    script.write_text(yaml.safe_dump(told))
    workflow.run()
    choices = workflow.table("scripted/capitals/k4/choices.parquet")
    assert choices["variant"].unique(maintain_order=True).to_list() == list(VARIANTS)
    assert choices.group_by("variant").len()["len"].n_unique() == 1
    told = {name: part for (name,), part in choices.group_by("variant")}
    assert told["labels"].filter(pl.col("how") == "scored")["label_mass"].is_between(0, 1).all()
    decided = told["labels"].filter(pl.col("how") == "decided")
    assert decided.height
    assert (decided["calls"] == 0).all()
    assert decided["prompt"].is_null().all()
    assert (told["rotated"]["orders"].list.len() == 4).all()
    assert told["joined"]["valid"].all()
    assert told["strengths"]["calls"].to_list() == told["pairs"]["calls"].to_list()
    metrics = workflow.table("scripted/capitals/k4/metrics.parquet")
    row = {each["variant"]: each for each in metrics.to_dicts()}
    assert row["planted"]["s_disc"] == row["oracle"]["s_disc"] == row["oracle"]["oracle"]
    assert row["labels"]["net"] is None
    assert row["full"]["net"] is not None
    selectors = pl.read_parquet(workflow.folder / "results/tables/selectors.parquet")
    assert set(selectors.filter("labels_used")["variant"]) == {"planted", "oracle"}
    best = pl.read_parquet(workflow.folder / "results/tables/best_of.parquet")
    assert set(best["variant"]) == {"expected", "true", "verified", "vote", "oracle", "pairs"}
    for name in ("expected", "pairs"):
        whole = best.filter((pl.col("variant") == name) & (pl.col("j") == 4))
        assert abs(whole["score"].item() - row[name]["s_disc"]) < 1e-9
    assert (told["bracket"].filter(pl.col("how") == "scored")["calls"] <= 6).all()
    assert (told["pivots"].filter(pl.col("how") == "scored")["calls"] <= 9).all()
    report = (workflow.folder / "results/report.html").read_text()
    assert "How the model was asked" in report
    assert "<li>scripted on Capitals: " in report


def test_a_new_way_asks_only_its_own_questions(workflow):
    metrics = "results/scripted/capitals/k4/metrics.parquet"
    workflow.configure(variants={"labels": VARIANTS["labels"]}, k=[4])
    workflow.run(metrics)
    asked = workflow.table("scripted/capitals/k4/choices.parquet")["calls"].sum()
    workflow.configure(variants={"labels": VARIANTS["labels"], "true": VARIANTS["true"]}, k=[4])
    workflow.run(metrics)
    [log] = workflow.folder.glob("results/logs/discriminate/scripted/capitals/scripted/0.log")
    choices = workflow.table("scripted/capitals/k4/choices.parquet")
    calls = dict(choices.group_by("variant").agg(pl.col("calls").sum()).iter_rows())
    assert calls["labels"] == asked
    assert f"{sum(calls.values())} answers wanted, {asked} in the store" in log.read_text()
