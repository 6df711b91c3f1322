"""Every setting of the paper through the whole workflow, on a scripted model and small data.

The data have the benchmarks' schemas.
"""

import json

import polars as pl
import pytest

from selfincorrect.io import read_json, read_provenance
from tests.conftest import Workflow
from tests.support import paper_data

pytestmark = pytest.mark.xdist_group("paper")  # one worker makes the run that these tests share

TASKS = (
    "gsm8k",
    "triviaqa",
    "truthfulqa",
    "mt_bench",
    "constrained_generation",
    "acronym_generation",
    "sentiment_reversal",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workflow = Workflow(tmp_path_factory.mktemp("paper"))
    workflow.configure(**paper_data.write(workflow.folder))
    paper_data.write(workflow.folder)  # `configure` wrote a script of its own
    workflow.run("all", "estimate")
    return workflow


def test_every_setting_has_a_cell_in_every_task(run):
    metrics = run.table("tables/metrics.parquet")
    variants = set(run.config["variants"])
    for model, tasks in (("llama", TASKS), ("other", ("gsm8k", "mt_bench"))):
        for task in tasks:
            cells = metrics.filter((pl.col("model") == model) & (pl.col("task") == task))
            assert set(cells["variant"]) == variants - (set() if task == "gsm8k" else {"final"}), (
                model,
                task,
            )
    assert "judge" not in metrics["model"]


def test_tables_name_the_way_of_grading_and_the_unit(run):
    metrics = run.table("tables/metrics.parquet")
    found = dict(metrics.select("task", "grading").unique().iter_rows())
    assert (found["truthfulqa"], found["mt_bench"], found["gsm8k"]) == ("judges", "judges", "flexible")
    assert set(metrics.filter(pl.col("task") == "mt_bench")["unit"]) == {"grade"}
    assert set(metrics.filter(pl.col("task") != "mt_bench")["unit"]) == {"percent"}
    gradings = run.table("tables/gradings.parquet").filter(pl.col("task") == "truthfulqa")
    assert set(gradings["grading"]) == {"judges", "similarity"}


def test_conversations_are_asked_turn_by_turn_and_judged_with_the_benchmarks_prompts(run):
    candidates = run.table("llama/mt_bench/candidates.parquet")
    assert candidates.height == 3 * 2 * 4
    first = candidates.filter(pl.col("question_id") == "mt_bench-082-1").sort("sample")
    second = candidates.filter(pl.col("question_id") == "mt_bench-082-2").sort("sample")
    for one, two in zip(first.iter_rows(named=True), second.iter_rows(named=True), strict=True):
        expected = f"User: Ask 1, turn one?\nAssistant: {one['text']}\n\nUser: Ask 1, turn two?\nAssistant:"
        assert two["prompt"].endswith(expected)
    judged = run.table("llama/mt_bench/judgements.parquet").filter(pl.col("attempt") == 1)
    prompts = dict(judged.filter(pl.col("sample") == 0).select("question_id", "prompt").iter_rows())
    texts = dict(candidates.filter(pl.col("sample") == 0).select("question_id", "text").iter_rows())
    assert (
        prompts["mt_bench-081-1"] == f"You are a judge.\n\nRATE Ask 0, turn one? / {texts['mt_bench-081-1']}"
    )
    assert prompts["mt_bench-082-2"].endswith(
        "Ask 1, turn one? / Reference one. / Ask 1, turn two? / Reference two. "
        f"/ {texts['mt_bench-082-1']} / {texts['mt_bench-082-2']}"
    )
    assert run.table("llama/mt_bench/k4/choices.parquet").group_by("asked", "variant").len()[
        "len"
    ].unique().to_list() == [2]


def test_a_judge_without_a_rating_is_asked_again_and_never_makes_one_up(run):
    judged = run.table("llama/mt_bench/judgements.parquet")
    again = judged.filter(pl.col("reading").is_null() & (pl.col("attempt") < 3))
    assert again.height, "the script leaves ratings out"
    after = judged.join(
        again.select("question_id", "sample", pl.col("attempt") + 1), on=["question_id", "sample", "attempt"]
    )
    assert after.height == again.height
    grades = run.table("llama/mt_bench/grades.parquet")
    assert set(grades["grade"].drop_nulls()) <= {3.0, 7.0, 9.0}
    last = judged.sort("attempt").unique(["question_id", "sample"], keep="last")
    assert grades["grade"].null_count() == last["reading"].null_count()


def test_the_judge_of_its_own_answers_is_told(run):
    log = (run.path("logs/judge/other/mt_bench.log")).read_text()
    assert "judges its own answers" in log
    assert "judges its own answers" not in (run.path("logs/judge/llama/mt_bench.log")).read_text()
    assert (
        read_provenance(run.path("llama/mt_bench/judgements.parquet"))["judges"]["judge"]["name"] == "other"
    )


def test_scores_choose_the_best_of_what_was_scored_alone(run):
    choices = run.table("llama/gsm8k/k4/choices.parquet").filter(pl.col("variant") == "score")
    for row in choices.iter_rows(named=True):
        outputs = json.loads(row["output"])
        assert len(outputs) == 4
        value = {"7": 7, "8/10": 8, "9": 9}
        scores = [value.get(output) for output in outputs]
        known = [score for score in scores if score is not None]
        best = [sample for sample, score in enumerate(scores) if known and score == max(known)]
        assert row["valid"] == bool(best)
        assert (row["shared"] or [row["chosen_sample"]]) == (best or [None])


def test_refinement_goes_from_the_first_answer_over_feedback_to_a_preference_in_both_orders(run):
    rounds = run.table("llama/gsm8k/refinement/rounds.parquet")
    candidates = run.table("llama/gsm8k/candidates.parquet").filter(pl.col("sample") == 0)
    first = rounds.filter(pl.col("round") == 0).join(candidates, on="question_id", suffix="_pool")
    assert (first["text"] == first["text_pool"].str.strip_chars()).all()
    one = rounds.filter(pl.col("round") == 1).row(0, named=True)
    before = rounds.filter((pl.col("round") == 0) & (pl.col("question_id") == one["question_id"])).row(
        0, named=True
    )
    assert before["text"] in one["prompt"]
    assert one["feedback"] in one["prompt"]
    preferences = run.table("llama/gsm8k/refinement/preferences.parquet")
    texts = {(row["question_id"], row["round"]): row["text"] for row in rounds.iter_rows(named=True)}
    changed = {key for key in texts if key[1] and texts[key] != texts[key[0], key[1] - 1]}
    assert set(preferences.select("question_id", "round").iter_rows()) == changed
    for row in preferences.iter_rows(named=True):
        places = [row["prompt"].rindex(f"Solution {label}:") for label in (1, 2)]
        shown_first = row["prompt"][places[0] : places[1]]
        text = texts[row["question_id"], row["round"] - (0 if row["refined_first"] else 1)]
        assert text in shown_first
        assert row["refined"] == (
            None if row["parsed"] is None else (row["parsed"] == "1") == row["refined_first"]
        )


def test_published_and_measured_values_stand_side_by_side(run):
    for name in ("table2", "table3", "table5", "table6", "table7", "table8", "figure9"):
        table = pl.read_csv(run.path(f"paper/{name}.csv"))
        measured = table.filter(pl.col("n_measured").is_not_null() & pl.col("measured").is_not_null())
        assert measured.height, name
        both = measured.filter(pl.col("published").is_not_null())
        for row in both.iter_rows(named=True):
            assert row["difference"] == pytest.approx(row["measured"] - row["published"])
        assert "LLaMA-2 7B Chat" not in measured["model"]
        for kind in ("md", "tex"):
            assert "llama" in run.path(f"paper/{name}.{kind}").read_text()
    two = pl.read_csv(run.path("paper/table2.csv"))
    cell = two.filter(
        (pl.col("model") == "llama") & (pl.col("task") == "gsm8k") & (pl.col("quantity") == "S_gen")
    ).row(0, named=True)
    metrics = run.table("tables/metrics.parquet").filter(
        (pl.col("model") == "llama")
        & (pl.col("task") == "gsm8k")
        & (pl.col("k") == 4)
        & (pl.col("variant") == "full")
    )
    assert (cell["published"], cell["n_published"], cell["n_measured"]) == (20.4, 1319, 6)
    assert cell["measured"] == pytest.approx(100 * metrics["s_gen"].item())
    assert (
        two.filter(pl.col("model") == "GPT-4-turbo")["measured"].null_count()
        == two.filter(pl.col("model") == "GPT-4-turbo").height
    )
    four = pl.read_csv(run.path("paper/table4.csv"), infer_schema_length=None)
    assert four["measured"].null_count() == four.height, "no encoder-decoder was run"


def test_the_report_has_a_section_for_each_table_and_escapes_what_models_say(run):
    page = run.path("report.html").read_text()
    for name in ("table2", "table3", "table4", "table5", "table6", "table7", "table8", "figure9"):
        assert f'id="{name}"' in page
    assert "<b>Prague</b>" not in page
    assert "&lt;b&gt;Prague&lt;/b&gt;" in page
    assert 'id="refinement"' in page
    assert 'id="spent"' in page
    assert "other (itself)" in page


def test_a_second_run_does_nothing_and_asks_nothing(run):
    stored = run.stored()
    done = run.run()
    assert "Nothing to be done" in done.stdout + done.stderr
    assert run.stored() == stored


def test_the_estimate_is_an_upper_bound_of_what_was_asked(run):
    estimate = pl.read_csv(run.path("estimate.csv"))
    for stage, rule in (("generate", "generate"), ("discriminate", "discriminate")):
        planned = estimate.filter(
            (pl.col("stage") == stage) & (pl.col("model") == "llama") & (pl.col("task") == "gsm8k")
        )
        files = list(run.path(f"logs/{rule}/llama/gsm8k").rglob("*.answering.json"))
        asked = sum(read_json(path)["answers"] for path in files)
        assert 0 < asked <= planned["answers"].item(), stage
