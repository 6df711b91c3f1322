"""Choices of a run as samples of lm-evaluation-harness."""

import json

import pytest

from selfincorrect.errors import UserError
from selfincorrect.report.export import export


def test_choices_are_exported_as_samples_of_lm_eval_with_the_scores_of_the_table(finished, tmp_path):
    files = export(finished.folder, tmp_path)
    metrics = finished.table("tables/metrics.parquet")
    assert len(files) == metrics.height
    for row in metrics.iter_rows(named=True):
        [file] = tmp_path.glob(f"{row['model']}/samples_{row['task']}-k{row['k']}-{row['variant']}_*.jsonl")
        samples = [json.loads(line) for line in file.read_text().splitlines()]
        assert sum(each["acc"] for each in samples) / len(samples) == pytest.approx(row["s_disc"])
        assert [each["doc_id"] for each in samples] == list(range(row["n"]))
        assert all(len(each["doc"]["candidates"]) == row["k"] for each in samples)
    assert set(samples[0]) == {
        "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "acc",
        "doc_hash", "prompt_hash", "target_hash",
    }  # fmt: skip
    chosen = finished.table(f"scripted/capitals/k{row['k']}/choices.parquet").filter(variant=row["variant"])
    assert samples[0]["arguments"]["gen_args_0"]["arg_0"] == (chosen["prompt"].item(0) or "")
    with pytest.raises(UserError, match="Name the folder of a finished run"):
        export(tmp_path, tmp_path)
