"""A model server as a SLURM job, `transformers serve` with SmolLM2, and cells that run against it."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT, wait_for
from tests.faults.kills import keys
from tests.slurm.cluster import jobs, missing, run
from tests.slurm.test_slurm import ClusterWorkflow, mine, slurm  # noqa: F401
from tests.workflow.conftest import prepared  # noqa: F401

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"no SLURM here: needs {', '.join(missing())}"),
]
SERVE = f"{shlex.quote(sys.executable)} -m transformers.cli.transformers serve {{weights}} "
SERVE += "--host 127.0.0.1 --port {port} --device cpu --dtype float32"


def command(workflow, serve, *arguments, sbatch="--time=5 --mem=3000"):
    words = [sys.executable, "-m", "selfincorrect", "with-server", f"--sbatch={sbatch}", "--serve", serve]
    words += ["--host", "127.0.0.1", "--ready-within", "120", "--folder", str(workflow.folder / "server")]
    return [*words, "--", *arguments]


def servers(workflow):
    return [job for job in mine(workflow) if job["JobName"].startswith("server-")]


@pytest.fixture
def served(tmp_path, slurm, prepared):  # noqa: F811
    workflow = ClusterWorkflow(tmp_path)
    weights = str((prepared / "weights").resolve())
    model = {
        "source": weights,
        "engine": "openai",
        "prompt": "chat",
        "server": {"url": "http://127.0.0.1:9/v1", "concurrency": 2},
    }
    workflow.configure(
        models={"served": model},
        tasks={"capitals": {"limit": 6, "shots": 2}},
        sampling={"n": 2},
        k=[2],
        variants={"full": {}},
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def start():
        words = workflow.command("--config", "models={served: {server: {url: '{url}'}}}")
        with open(workflow.folder / "output", "w") as output:
            return subprocess.Popen(
                command(workflow, SERVE.replace("{weights}", shlex.quote(weights)), *words),
                cwd=workflow.folder,
                env=environment,
                stdout=output,
                stderr=output,
            )

    return workflow, start


def test_cells_run_against_a_server_that_is_replaced_when_it_ends(served):
    workflow, start = served
    process = start()
    wait_for(lambda: workflow.stored() >= 3, 300)
    run("scancel", servers(workflow)[0]["JobId"])
    code, output = process.wait(600), (workflow.folder / "output").read_text()
    assert code == 0, output
    assert "the server's job is over before the command is (server 1 of 4)" in output
    assert workflow.table("tables/metrics.parquet").height == 1
    assert set(keys(workflow).values()) == {1}, "no answer was asked for twice"
    assert workflow.stored() == 6 * 2 + 6
    wait_for(
        lambda: [job["JobState"] for job in servers(workflow)] == ["CANCELLED"] * 2
    )  # the second one at the end
    assert [job for job in mine(workflow) if "rule_generate/" in job["StdOut"]], "cells are jobs, too"


def test_the_server_ends_with_whoever_waits_for_it(served):
    workflow, start = served
    process = start()
    wait_for(lambda: [job for job in servers(workflow) if job["JobState"] == "RUNNING"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    wait_for(lambda: all(job["JobState"] == "CANCELLED" for job in servers(workflow)))


def test_a_server_that_does_not_start_is_said_with_its_output(tmp_path, slurm):  # noqa: F811
    workflow = ClusterWorkflow(tmp_path)
    done = subprocess.run(
        command(workflow, "sh -c 'echo no such model >&2; exit 3'", "true"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "has ended. The end of its output:\nno such model\n" in done.stderr
    assert len(jobs()) >= 1


def test_options_that_slurm_refuses_are_said(tmp_path, slurm):  # noqa: F811
    workflow = ClusterWorkflow(tmp_path)
    done = subprocess.run(
        command(workflow, "true", "true", sbatch="--partition=none"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "was refused: " in done.stderr
    assert "invalid partition" in done.stderr
