"""A full and a read-only disk at every stage: one message each time, then an undisturbed run's results."""

import os
import re
import subprocess
from contextlib import contextmanager

import pytest

from tests.conftest import Workflow
from tests.faults.kills import digests

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root"),
]
STAGES = {
    "generate": "results/scripted/capitals/candidates/0.parquet",
    "collect": "results/scripted/capitals/candidates.parquet",
    "grade": "results/scripted/capitals/grades.parquet",
    "discriminate": "results/scripted/capitals/choices/scripted/0.parquet",
    "select": "results/scripted/capitals/k2/choices.parquet",
    "measure": "results/scripted/capitals/k2/metrics.parquet",
    "tables": "results/tables/metrics.csv",
    "figures": "results/figures/dg_diff.pdf",
    "paper": "results/paper/table2.csv",
    "report": "results/report.html",
}


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest.fixture
def small(tmp_path):
    """A workflow whose results lie on a file system of their own."""
    workflow = Workflow(tmp_path)
    results = str(workflow.path(""))
    os.mkdir(results)
    try:
        mount("-t", "tmpfs", "-o", "size=32m", "tmpfs", results)
    except subprocess.CalledProcessError:
        pytest.skip("a small file system cannot be mounted here")
    yield workflow
    subprocess.run(["umount", results], check=True)


@contextmanager
def full(workflow):
    filler = workflow.path("filler")
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    yield
    filler.unlink()


@contextmanager
def read_only(workflow):
    mount("-o", "remount,ro", str(workflow.path("")))
    yield
    mount("-o", "remount,rw", str(workflow.path("")))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (full, r"Cannot write results/\S+: No space left on device"),
        (read_only, r"Cannot write to \S+/results \(the file system is read-only\)"),
    ],
)
def test_each_stage_says_what_is_wrong_and_goes_on_afterwards(small, finished, fault, words):
    small.run("prepare_all")
    for stage, target in STAGES.items():
        with fault(small):
            done = small.run(target, check=False)
        output = done.stdout + done.stderr
        assert done.returncode, stage
        assert re.search(words, output), f"{stage}:\n{output}"
        assert "Traceback" not in output, stage
        small.run(target)
    small.run()
    assert digests(small) == digests(finished)
