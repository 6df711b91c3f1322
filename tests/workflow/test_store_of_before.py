"""Answers that an earlier version stored were paid for: none of them is asked for again."""

import shutil
from pathlib import Path

import yaml

from tests.conftest import Workflow

BEFORE = Path(__file__).parent.parent / "cases" / "store"  # made by the version of 2026-11-25


def test_no_answer_is_asked_for_again(tmp_path):
    workflow = Workflow(tmp_path)
    shutil.copytree(BEFORE, tmp_path, dirs_exist_ok=True)
    experiment = yaml.safe_load((BEFORE / "experiment.yaml").read_text())
    experiment["run"]["store"] = "answers"
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    before = {path: path.read_bytes() for path in (tmp_path / "answers").rglob("*.jsonl")}
    pairs = [("scripted", task) for task in experiment["tasks"]] + [("chatty", "capitals")]
    workflow.run(
        *(f"results/{model}/{task}/k2/choices.parquet" for model, task in pairs),
        "results/scripted/truthfulqa/judgements.parquet",
        "results/scripted/capitals/refinement/metrics.parquet",
    )
    assert {path: path.read_bytes() for path in (tmp_path / "answers").rglob("*.jsonl")} == before
    assert not list((tmp_path / "results").rglob("*.answering.json")), "no engine was made"
