"""The measurement of GPUs, run to its end on a tiny model on the processor."""

import sys

import pytest

from bench import gpu
from selfincorrect.io import read_json
from selfincorrect.plan.rates import assumed, rates
from tests.support import tiny


@pytest.mark.xdist_group("torch")
def test_it_runs_to_its_end(tmp_path, monkeypatch, capsys):
    weights = tmp_path / "tiny" / "weights"
    tiny.save("llama", weights)
    sizes = {"prompts": 4, "length": 40, "shared": 20, "samples": 2, "new": 6}
    asked = [word for name, value in sizes.items() for word in (f"--{name}", str(value))]
    told = ["--device", "cpu", "--dtype", "float32", "--shape", "none", "--weights", str(weights)]
    monkeypatch.setattr(sys, "argv", ["gpu", str(tmp_path / "gpu.json"), *told, *asked])
    monkeypatch.setattr(gpu, "rate", lambda amount, work, device: (work(), amount)[1])
    gpu.main()
    found = read_json(tmp_path / "gpu.json")
    ways = {row["way"]: row for row in found["speed"]}
    assert list(ways) == list(gpu.METHODS)
    assert all(row["seconds"] for row in ways.values())
    assert [row["equal"] for row in found["agreement"]] == [8] * len(found["agreement"])
    assert "written to" in capsys.readouterr().out
    # What a processor did is no rate of a card.
    assert rates("cuda", tmp_path / "gpu.json") == assumed(cuda=True)
