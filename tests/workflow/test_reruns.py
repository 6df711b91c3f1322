"""Runs made again: what is made anew after a change, what is asked again, and what stays equal."""

import shutil

import polars as pl


def test_second_run_does_nothing(finished):
    done = finished.run()
    assert "Nothing to be done" in done.stdout + done.stderr


def test_rerun_rules(finished, workflow):
    shutil.copytree(finished.folder, workflow.folder, dirs_exist_ok=True)
    target = "results/scripted/capitals/k4/metrics.parquet"
    asked = workflow.stored()

    workflow.path("scripted/capitals/k4/metrics.parquet").unlink()
    assert workflow.rules_run(workflow.run()) == ["figures", "measure", "paper", "report", "tables"]

    workflow.configure(figures={"dpi": 90})
    assert workflow.rules_run(workflow.run("-n")) == ["figures", "paper", "report"]
    assert workflow.stored() == asked

    settings = {"figures": {"dpi": 90}}
    workflow.configure(**settings, variants={**workflow.config["variants"], "letters": {"labels": "letters"}})
    assert "generate" not in workflow.rules_run(workflow.run(target))
    assert workflow.stored() == asked + 2 * 12, "only the new variant's questions are asked"
    assert workflow.table("scripted/capitals/k4/choices.parquet").height == 3 * 12

    before = workflow.table("scripted/capitals/candidates.parquet")
    asked = workflow.stored()
    workflow.configure(**settings, sampling={"n": 6})
    workflow.run(target)
    after = workflow.table("scripted/capitals/candidates.parquet")
    assert after.filter(pl.col("sample") < 4).equals(before)
    assert after.height == 6 * 12
    assert workflow.stored() == asked + 2 * 12, "two more candidates a question, no other answer"

    grader = workflow.run("--forcerun", "grade", "-n")
    assert "generate" not in workflow.rules_run(grader)


def test_shards_give_the_same_pool(finished, workflow):
    workflow.configure(tasks={"capitals": {"limit": 12, "shards": 5}})
    workflow.run("results/scripted/capitals/candidates.parquet")
    assert workflow.table("scripted/capitals/candidates.parquet").equals(
        finished.table("scripted/capitals/candidates.parquet")
    )


def test_an_edited_data_file_is_read_again(workflow):
    data = workflow.folder / "mine.csv"
    data.write_text("country,capital,accepted\nA,Paris,\nB,Rome,Roma\n")
    workflow.configure(tasks={"capitals": {"source": {"path": "mine.csv"}}})
    target = "results/scripted/capitals/candidates.parquet"
    workflow.run(target)
    assert workflow.table("scripted/capitals/candidates.parquet").height == 8
    asked = workflow.stored()
    data.write_text("country,capital,accepted\nA,Paris,\nB,Rome,Roma\nC,Vienna,\n")
    workflow.run(target)
    assert workflow.table("scripted/capitals/candidates.parquet").height == 12
    assert workflow.stored() == asked + 4
