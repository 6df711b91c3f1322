"""Where the time of a run went."""

import pytest

from selfincorrect.io import write_json, write_text
from selfincorrect.report.costs import by_model, costs

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_costs_by_rule(tmp_path):
    assert costs(tmp_path).height == 0
    for name, seconds, memory in (("m/a/0", 10.5, "812.3"), ("m/b/0", 4.0, "NA")):
        write_text(
            tmp_path / f"benchmarks/generate/{name}.tsv",
            f"{HEADER}{seconds}\t0:00:10\t{memory}\t1\t1\t1\t0\t0\t1\t1\n",
        )
    write_text(
        tmp_path / "benchmarks/grade/m/a.tsv", f"{HEADER}1.5\t0:00:01\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"
    )
    asked = {"seconds": 6.0, "answers": 8, "tokens_in": 100, "tokens_out": 50, "calls": 0}
    asked["earlier"] = {"answers": 2, "tokens_in": 20, "tokens_out": 10, "calls": 3}
    write_json(tmp_path / "logs/generate/m/a/0.m.answering.json", asked)
    generate, grade = costs(tmp_path).to_dicts()
    assert generate == {
        "rule": "generate", "jobs": 2, "seconds": 14.5, "answering": 6.0, "fixed": 8.5, "answers": 8,
        "tokens_out": 50,
        "mebibytes": pytest.approx(812.3),
    }  # fmt: skip
    assert (grade["rule"], grade["fixed"], grade["mebibytes"]) == ("grade", 1.5, None)
    assert by_model(tmp_path, {}).to_dicts() == [
        {"model": "m", "answers": 10, "calls": 3, "tokens_in": 120, "tokens_out": 60, "cost": None}
    ]
    assert by_model(tmp_path, {"m": {"input": 1000.0, "output": 5000.0}})["cost"].item() == pytest.approx(
        0.12 + 0.3
    )
