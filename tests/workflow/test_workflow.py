"""The workflow as a user runs it, on a scripted model: what is made, and what is said."""

import csv
import html.parser
import re
import subprocess
import sys

import polars as pl
import pytest

from selfincorrect.io import read_provenance
from tests.conftest import snakemake
from tests.support import paper_data
from tests.support.tiny import save

METRIC_COLUMNS = [
    "model",
    "task",
    "k",
    "variant",
    "n",
    "s_gen",
    "s_disc",
    "dg_diff",
    "se",
    "ci_low",
    "ci_high",
    "mixed",
    "dg_diff_mixed",
    "oracle",
    "majority",
    "invalid",
    "n01",
    "n10",
    "p_randomisation",
    "p_mcnemar_midp",
    "p_mcnemar_exact",
    "p_as_printed",
    "headroom_share",
    "clusters",
    "note",
]


def test_everything_is_made_in_a_path_with_spaces(finished):
    assert " " in str(finished.folder)
    figures = [f"figures/{f}.{kind}" for f in ("dg_diff", "scores", "positions") for kind in ("pdf", "png")]
    tables = ["tables/metrics.csv", "tables/slots.csv", "paper/table2.md"]
    for name in (*tables, *figures, "paper/figure9.pdf", "report.html"):
        assert finished.path(name).stat().st_size > 500, name
    metrics = finished.table("tables/metrics.parquet")
    assert set(METRIC_COLUMNS) <= set(metrics.columns)
    assert metrics.select("k", "variant").rows() == [
        (2, "full"),
        (2, "simplified"),
        (4, "full"),
        (4, "simplified"),
    ]
    with open(finished.path("tables/metrics.csv"), newline="") as file:
        assert len(list(csv.DictReader(file))) == 4


def test_files_carry_what_is_needed_to_judge_them(finished):
    cell = "scripted/capitals"
    candidates = finished.table(f"{cell}/candidates.parquet")
    assert candidates.columns[:8] == [
        "question_id",
        "sample",
        "text",
        "finish_reason",
        "tokens_in",
        "tokens_out",
        "seed",
        "logprob",
    ]
    assert candidates.height == 12 * 4
    assert candidates["seed"].n_unique() == 48
    assert finished.table(f"{cell}/grades.parquet").columns == [
        "question_id",
        "sample",
        "extracted",
        "grade",
        "valid",
        "missing",
        "forced",
        "noisy",
        "fault",
        "grading",
    ]
    choices = finished.table(f"{cell}/k4/choices.parquet")
    assert choices.columns[:13] == [
        "question_id",
        "asked",
        "k",
        "variant",
        "selector",
        "order",
        "output",
        "scores",
        "probabilities",
        "parsed",
        "how",
        "chosen_sample",
        "shared",
    ]
    assert choices.height == 12 * 2
    for name in ("candidates", "grades", "k2/choices", "k4/metrics"):
        provenance = read_provenance(finished.path(f"{cell}/{name}.parquet"))
        assert {"model", "data", "prompt", "settings", "versions"} <= set(provenance), name


def test_every_number_can_be_computed_from_the_files(finished):
    cell = "scripted/capitals"
    metrics = finished.table("tables/metrics.parquet")
    grades = finished.table(f"{cell}/grades.parquet")
    for k in (2, 4):
        shown = grades.filter(pl.col("sample") < k)
        choices = finished.table(f"{cell}/k{k}/choices.parquet")
        for variant in ("full", "simplified"):
            row = metrics.row(by_predicate=(pl.col("k") == k) & (pl.col("variant") == variant), named=True)
            chosen = choices.filter(pl.col("variant") == variant).join(
                grades,
                left_on=["question_id", "chosen_sample"],
                right_on=["question_id", "sample"],
                how="left",
            )
            lowest = shown.group_by("question_id").agg(pl.col("grade").min().alias("lowest"))
            scored = (
                chosen.join(lowest, on="question_id").select(pl.coalesce("grade", "lowest"))["grade"].mean()
            )
            assert row["s_gen"] == pytest.approx(shown["grade"].mean())
            assert row["s_disc"] == pytest.approx(scored)
            assert row["invalid"] == pytest.approx(
                1 - choices.filter(pl.col("variant") == variant)["valid"].mean()
            )


def test_simplified_shows_right_answers_of_other_countries(finished):
    choices = finished.table("scripted/capitals/k4/choices.parquet")
    candidates = finished.table("scripted/capitals/candidates.parquet")
    grades = finished.table("scripted/capitals/grades.parquet")
    accepted = {
        r
        for refs in pl.read_parquet(finished.folder / "resources/datasets/capitals.parquet")["references"]
        for r in refs[:1]
    }
    for row in choices.filter(pl.col("variant") == "simplified").iter_rows(named=True):
        shown = re.findall(r"^\d\. (.*)$", row["prompt"].rsplit("Question:", 1)[1], re.MULTILINE)
        pool = (
            candidates.join(grades, on=["question_id", "sample"])
            .filter(pl.col("question_id") == row["question_id"])
            .sort("sample")
        )
        for text, original, grade in zip(shown, pool["text"], pool["grade"], strict=True):
            assert text == original if grade else text in accepted


def test_report_is_self_contained_and_model_output_is_text(finished):
    page = finished.path("report.html").read_text()

    class Tags(html.parser.HTMLParser):
        seen: list[tuple[str, dict]] = []  # noqa: RUF012

        def handle_starttag(self, tag, attributes):
            self.seen.append((tag, dict(attributes)))

    parser = Tags()
    parser.feed(page)
    # The page's own scripts, and what the viewer unpacks, which is base64: no text can end it.
    scripts = [attributes for tag, attributes in parser.seen if tag == "script"]
    assert [each.get("type") for each in scripts] == ["application/octet-stream"] * 2 + [None] * 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    for _, attributes in parser.seen:
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith("#")
    for words in ("What to believe", "Questions", "Invalid outputs", "Provenance", "I cannot say", "digest"):
        assert words in page
    assert page.count('class="question"') == 10


def test_the_summary_has_every_way_and_ends_with_what_was_found(finished, tmp_path):
    command = [sys.executable, "-m", "selfincorrect", "show"]
    shown = subprocess.run(
        [*command, "results"], capture_output=True, text=True, check=True, cwd=finished.folder
    ).stdout
    metrics = finished.table("tables/metrics.parquet")
    for row in metrics.iter_rows(named=True):
        told = [line for line in shown.splitlines() if re.search(rf"\b{row['variant']}\b", line)]
        assert told, row["variant"]
        if row["informative"]:
            assert any(f"{100 * row['dg_diff']:+.1f}" in line for line in told)
    assert max(map(len, shown.splitlines())) <= 100
    assert "results/report.html" in shown
    assert shown.splitlines()[-1].endswith(".")
    assert "scripted on Capitals: " in shown.split("figures ")[1]
    before = subprocess.run([*command, "results"], capture_output=True, text=True, cwd=tmp_path)
    assert before.returncode == 1
    assert "No results table" in before.stderr


def test_snakemake_report(finished, tmp_path):
    finished.run("--report", str(tmp_path / "report.zip"))
    assert (tmp_path / "report.zip").stat().st_size > 100_000


def test_single_target_makes_just_what_it_needs(workflow):
    done = workflow.run("results/scripted/capitals/k4/metrics.parquet")
    assert workflow.rules_run(done) == [
        "collect",
        "discriminate",
        "generate",
        "grade",
        "measure",
        "prepare_dataset",
        "prepare_model",
        "select",
    ]
    assert not workflow.path("scripted/capitals/k2/metrics.parquet").exists()


def test_single_values_on_the_command_line(workflow):
    done = workflow.run("-n", "--config", "ks=[3]", "sampling={n: 3}", "tasks={capitals: {limit: 5}}")
    assert "k3/metrics.parquet" in done.stdout
    assert "k4" not in done.stdout


def test_another_experiment_replaces_the_default_one(workflow):
    done = workflow.run("-n")
    assert "gemma" not in done.stdout + done.stderr


def test_default_experiment_and_values_on_top(tmp_path):
    command = snakemake(tmp_path, "-n", "--config", "ks=3")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for words in ("gemma-3-270m/capitals/k3/metrics.parquet", "smollm2-135m-instruct/triviaqa/k3"):
        assert words in done.stdout


def test_encoder_decoder_through_every_stage(workflow):
    folder = save("t5", workflow.folder / "t5")
    data = paper_data.write(workflow.folder)["tasks"]
    few = {"limit": 2, "answer_tokens": 4, "choice_tokens": 4}
    workflow.configure(
        models={"t5": {"source": str(folder), "prompt": "completion", "published": "Flan-UL2"}},
        tasks={
            "gsm8k": {**data["gsm8k"], **few},
            "truthfulqa": {
                "source": data["truthfulqa"]["source"],
                **few,
                "judges": {"truth": "t5", "info": "t5"},
            },
        },
        k=[2],
        variants={
            "full": {},
            "score": {"selector": "score"},
            "verbatim": {"answer": "text"},
            "cot": {"rationale": True},
        },
        refinement={"rounds": 1, "tasks": ["gsm8k"]},
    )
    workflow.run(
        "--", "tables_only", "results/paper/table4.csv", "results/t5/gsm8k/refinement/metrics.parquet"
    )
    assert workflow.table("t5/gsm8k/candidates.parquet").height == 8
    assert (
        "its cache is not shared: it is an encoder-decoder model"
        in workflow.path("logs/generate/t5/gsm8k/0.log").read_text()
    )
    metrics = workflow.table("tables/metrics.parquet")
    assert metrics["model"].null_count() == metrics["task"].null_count() == 0, "of cells without a rating too"
    assert set(metrics.filter(pl.col("task") == "gsm8k")["s_gen"]) == {0.0}
    assert metrics.height == 2 * 4
    four = pl.read_csv(workflow.path("paper/table4.csv")).filter(pl.col("measured").is_not_null())
    row = four.filter((pl.col("task") == "gsm8k") & (pl.col("quantity") == "S_gen")).row(0, named=True)
    assert (row["model"], row["published"], row["measured"]) == ("t5", 21.6, 0.0)
    assert set(workflow.table("t5/gsm8k/refinement/metrics.parquet")["round"]) == {0, 1}
    assert set(workflow.table("t5/truthfulqa/judgements.parquet")["role"]) == {"truth", "info"}
    manifest = workflow.folder / "resources/models/t5/manifest.json"
    assert "T5ForConditionalGeneration" in manifest.read_text()
