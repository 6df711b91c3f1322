"""`selfincorrect run`, from this folder and from a wheel alone."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT, experiment


def run(folder, *arguments, path=ROOT):
    command = [sys.executable, "-m", "selfincorrect", "run", "--configfile", "e.yaml", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture
def folder(tmp_path):
    made = experiment(tmp_path, variants={"full": {}}, k=[2], tasks={"capitals": {"limit": 4}})
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(made))
    return tmp_path


def test_a_run_says_little_and_ends_with_its_results(folder):
    done = run(folder)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) + len(done.stdout.splitlines()) < 40
    assert any(line.startswith("generate ") and "16 answers" in line for line in lines)
    assert "scripted" in done.stdout
    assert "report.html" in done.stdout
    again = run(folder)
    assert again.stderr.splitlines()[-1] == "Nothing to be done: all results are there."
    assert len(again.stderr.splitlines()) <= 2
    assert again.stdout == done.stdout


def test_an_error_is_told_whole_and_at_once(folder):
    text = (folder / "e.yaml").read_text()
    (folder / "e.yaml").write_text(text.replace("k:\n- 2", "k:\n- 9"))
    done = run(folder)
    assert done.returncode == 1
    assert "The configuration is wrong; no job was started." in done.stderr
    assert "2 to n, and n (sampling.n) is 4" in done.stderr
    (folder / "e.yaml").write_text(text)
    (folder / "script.yaml").write_text("rules: [{match: zebra, answers: [a]}]")
    done = run(folder)
    assert done.returncode == 1
    assert "No rule of" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wheel_alone_runs_an_experiment(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(place),
    ]
    copy = place / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    done = subprocess.run([*build, str(copy)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [wheel] = place.glob("*.whl")
    target = place / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True, timeout=300)
    done = run(folder, path=target)
    assert done.returncode == 0, done.stderr
    assert "scripted" in done.stdout
    table = folder / "results/tables/metrics.csv"
    assert table.stat().st_size
    logged = next((folder / ".snakemake/log").glob("*.log")).read_text()
    assert f"Base directory: {target / 'selfincorrect' / '_workflow'}" in logged
