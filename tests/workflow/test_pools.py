"""Pools from elsewhere, rules that need no model, other ways of grading and the audit, in the workflow."""

import json

import polars as pl
import pytest

from selfincorrect.discriminate.selectors.registry import free
from tests.conftest import WITHOUT_PAGES, reproduce

COUNTRIES = "country,capital,accepted\nAlba,Paris,\nBora,Rome,Roma\nCela,Bern,\nDora,Lima,\n"
ANSWERS = {
    "Alba": ["Paris", "Paris", "Lyon <b>"],
    "Bora": ["Roma", "Milan", "Turin"],
    "Cela": ["Basel", "Basel", "Bern"],
    "Dora": ["Quito", "", "Cusco"],
}
SAYS = {"Alba": "1", "Bora": "2", "Cela": "3", "Dora": "none"}


def write(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")


@pytest.fixture
def pools(workflow):
    """An experiment on two pools of the same candidates: flat with grades and outputs, canonical without."""
    folder = workflow.folder
    (folder / "mine.csv").write_text(COUNTRIES)
    flat = [
        {
            "q": f"What is the capital of {country}?",
            "out": f"The best is\n### {SAYS[country]}",
            **{f"a{i}": text for i, text in enumerate(texts)},
            **{f"g{i}": text in ("Paris", "Rome", "Bern", "Lima") for i, text in enumerate(texts)},
        }
        for country, texts in ANSWERS.items()
    ]
    write(folder / "flat.jsonl", flat)
    canonical = [
        {"question_id": f"capitals-{country.lower()}", "sample": sample, "text": text}
        for country, texts in ANSWERS.items()
        for sample, text in enumerate(texts)
    ]
    write(folder / "canonical.jsonl", canonical)
    columns = {"question": "q", "answers": ["a0", "a1", "a2"], "grades": ["g0", "g1", "g2"]}
    pool = {"path": "flat.jsonl", "format": "columns", **columns, "outputs": {"column": "out"}}
    models = {
        "flat": {"pools": {"capitals": pool}},
        "canonical": {"pools": {"capitals": {"path": "canonical.jsonl"}}},
    }
    workflow.configure(models=models, tasks={"capitals": {"source": {"path": "mine.csv"}}}, k=[2, 3])
    return workflow


def test_pools_get_every_table_figure_and_the_report(pools):
    pools.configure(models=pools.config["models"], tasks=pools.config["tasks"], k=[3])
    done = pools.run()
    cells = {"prepare_dataset", "import_pool", "select", "grade", "measure"}
    assert pools.rules_run(done) == sorted(cells | {"tables", "figures", "paper", "report"})
    metrics = pools.table("tables/metrics.parquet")
    variants = metrics.filter(pl.col("k") == 3).group_by("model", maintain_order=True).agg("variant")
    assert dict(variants.iter_rows()) == {"flat": ["outputs", *free()], "canonical": list(free())}

    def number(model, variant, column):
        row = (pl.col("model") == model) & (pl.col("variant") == variant) & (pl.col("k") == 3)
        return metrics.filter(row)[column].item()

    # The given grades know no "Roma": right are 2, 0, 1 and 0 of three; by our aliases 2, 1, 1 and 0.
    assert number("flat", "oracle", "s_gen") == pytest.approx((2 / 3 + 0 + 1 / 3 + 0) / 4)
    assert number("canonical", "oracle", "s_gen") == pytest.approx((2 / 3 + 1 / 3 + 1 / 3 + 0) / 4)
    assert number("canonical", "oracle", "s_disc") == number("canonical", "oracle", "oracle") == 0.75
    # Paris, then a tie of Roma, Milan and Turin, then Basel, then a tie of three wrong ones.
    assert number("canonical", "majority", "s_disc") == pytest.approx((1 + 1 / 3 + 0 + 0) / 4)
    assert number("canonical", "longest", "s_disc") == pytest.approx((0 + 0 + 0 + 0) / 4)
    assert number("canonical", "shortest", "s_disc") == pytest.approx((1 + 1 + 1 + 0) / 4)
    # The outputs name 1, 2, 3 and nothing: right, wrong, right, and the lowest grade.
    assert number("flat", "outputs", "s_disc") == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert number("flat", "outputs", "valid") == 3
    assert number("flat", "outputs", "p_holm") is not None
    assert number("flat", "majority", "p_holm") is None

    gradings = pools.table("tables/gradings.parquet").filter((pl.col("model") == "flat") & (pl.col("k") == 3))
    shown = gradings.filter(pl.col("variant") == "outputs").select("grading", "primary", "differing").rows()
    assert shown == [("given", True, 0), ("aliases", False, 1)]
    differences = pools.table("tables/grading_differences.parquet")
    assert differences.select("model", "question_id", "sample", "grade", "other_grade").rows() == [
        ("flat", "capitals-bora", 0, 0.0, 1.0)
    ]
    page = pools.path("report.html").read_text()
    for words in ("Ways of grading", "pool from elsewhere", "Lyon &lt;b&gt;", "flat.jsonl"):
        assert words in page
    assert "Nothing to be done" in (again := pools.run()).stdout + again.stderr
    elsewhere = reproduce(pools.path("run.json"), pools.folder / "elsewhere", *WITHOUT_PAGES)
    assert elsewhere.returncode == 0, elsewhere.stdout + elsewhere.stderr
    assert "model flat capitals: same" in elsewhere.stdout


def test_an_edited_pool_is_read_again_and_a_wrong_one_stops(pools):
    target = "results/canonical/capitals/k2/metrics.parquet"
    pools.run(target)
    rows = [json.loads(line) for line in (pools.folder / "canonical.jsonl").read_text().splitlines()]
    rows[0]["text"] = "Nowhere"
    write(pools.folder / "canonical.jsonl", rows)
    done = pools.run(target)
    assert pools.rules_run(done) == ["grade", "import_pool", "measure", "select"]
    assert pools.table("canonical/capitals/candidates.parquet")["text"].item(0) == "Nowhere"
    write(pools.folder / "canonical.jsonl", [{**row, "question_id": "capitals-z"} for row in rows])
    failed = pools.run(target, check=False)
    assert failed.returncode
    assert "1 of 1 questions (12 rows) are unknown to the task" in failed.stdout + failed.stderr


def test_a_task_without_a_pool(pools):
    models = {
        **pools.config["models"],
        "scripted": {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"},
    }
    tasks = {**pools.config["tasks"], "gsm8k": {"source": {"path": "g.jsonl"}}}
    write(pools.folder / "g.jsonl", [{"question": "1 + 1?", "answer": "#### 2"}])
    pools.configure(models=models, tasks=tasks, k=[2, 3])
    planned = pools.run("-n").stdout
    assert "results/scripted/gsm8k/k2" in planned
    assert "results/flat/gsm8k" not in planned
    failed = pools.run("-n", "results/flat/gsm8k/k2/metrics.parquet", check=False)
    assert failed.returncode
    assert "Model flat has no pool for gsm8k; it has: capitals." in failed.stdout + failed.stderr


def test_a_model_and_a_pool_side_by_side(pools):
    """A model that chooses by itself, a rule on its pool, the same candidates in two orders, and a pool."""
    models = {
        **pools.config["models"],
        "scripted": {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"},
    }
    variants = {"full": {}, "shuffled": {"order": "permuted"}, "vote": {"selector": "majority"}}
    pools.configure(models=models, tasks=pools.config["tasks"], k=[2, 3], variants=variants)
    pools.run("tables_only")
    metrics = pools.table("tables/metrics.parquet")
    mine = metrics.filter(pl.col("model") == "scripted").select("variant", "selector").rows()
    assert mine == 2 * [("full", "choose"), ("shuffled", "choose"), ("vote", "majority")]
    assert "vote" in metrics.filter(pl.col("model") == "canonical")["variant"].to_list()
    flips = pools.table("tables/flips.parquet")
    assert flips.select("model", "k", "variant", "other_variant").rows() == [
        ("scripted", k, "full", "shuffled") for k in (2, 3)
    ]
    assert set(pools.table("tables/slots.parquet")["variant"]) == {"full", "shuffled", "outputs"}


def test_audit(workflow):
    (workflow.folder / "mine.csv").write_text(
        "model,task,dg_diff,s_gen,s_disc,p_value\nA,gsm8k,2.0,50.0,52.0,0.5\n"
    )
    workflow.configure(audit={"mine": "mine.csv"})
    done = workflow.run("audit")
    assert workflow.rules_run(done) == ["audit", "audit_table"]
    assert pl.read_csv(workflow.path("tables/audit_mine.csv"))["verdict"].to_list() == ["infeasible"]
    assert pl.read_csv(workflow.path("tables/audit_table2.csv")).height == 55
    assert (
        "Mixtral-8x7B Instruct, gsm8k: DG-Diff is 1.3 in Table 2, 4.3 in Figure 9"
        in workflow.path("tables/audit_table2.md").read_text()
    )
    for name in ("table2", "table4", "mine"):
        for kind in ("pdf", "png"):
            assert workflow.path(f"figures/audit_{name}.{kind}").stat().st_size > 2000
    assert "Nothing to be done" in (again := workflow.run("audit")).stdout + again.stderr
