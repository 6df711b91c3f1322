"""What happens when a run is killed, its files are damaged, the disk is full or the configuration is wrong."""

import os
import re
import signal
import subprocess
import time

import pytest
import yaml

from tests.conftest import SCRIPT


def test_killed_and_run_again(finished, workflow):
    target = "results/scripted/capitals/candidates.parquet"
    (workflow.folder / "script.yaml").write_text(yaml.safe_dump({**SCRIPT, "delay": 0.1}, allow_unicode=True))
    process = subprocess.Popen(
        workflow.command(target), cwd=workflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while workflow.stored() < 12 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = workflow.stored()
    assert 12 <= kept < 48
    assert not workflow.path("scripted/capitals/candidates.parquet").exists()
    locked = workflow.run(target, check=False)
    if locked.returncode:
        assert "unlock" in (locked.stdout + locked.stderr).lower()
        workflow.run("--unlock")
    workflow.run(target)  # the default profile makes incomplete files again
    log = workflow.path("logs/generate/scripted/capitals/0.log").read_text()
    assert f"48 answers wanted, {kept} in the store" in log
    assert workflow.stored() == 48, "no answer was asked for twice"
    assert workflow.table("scripted/capitals/candidates.parquet").equals(
        finished.table("scripted/capitals/candidates.parquet")
    ), "as without the kill"


def test_damaged_store_stops_with_its_place(workflow):
    target = "results/scripted/capitals/candidates.parquet"
    workflow.run(target)
    path = next(workflow.path("store").rglob("*.jsonl"))
    path.write_text(path.read_text().replace("Paris", "Parys", 1))
    done = workflow.run(target, "--forcerun", "generate", check=False)
    assert done.returncode
    assert re.search(r"store is damaged: .*jsonl, line \d+", done.stdout + done.stderr)


def test_wrong_configuration_stops_before_any_job(workflow):
    workflow.configure(k=[9])
    done = workflow.run(check=False)
    output = done.stdout + done.stderr
    assert done.returncode
    assert "no job was started" in output
    assert "k.0" in output
    assert "Traceback" not in output
    assert not workflow.path("").exists()


def test_missing_script_rule_is_one_message_and_no_answer(workflow):
    (workflow.folder / "script.yaml").write_text(yaml.safe_dump({"rules": [{"match": "nothing", "answers": ["x"]}]}))
    done = workflow.run(check=False)
    assert done.returncode
    assert "No rule of" in done.stderr
    assert workflow.stored() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_full_disk_is_said_and_nothing_is_lost(workflow):
    small = workflow.folder / "results"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(small)], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        target = "results/scripted/capitals/candidates.parquet"
        done = workflow.run(target, check=False)
        assert done.returncode
        output = done.stdout + done.stderr
        assert "No space left" in output
        assert "response store" in output
        kept = workflow.stored()
        subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
        workflow.run(target, "--rerun-incomplete")
        assert workflow.stored() >= kept
        assert workflow.table("scripted/capitals/candidates.parquet").height == 48
    finally:
        subprocess.run(["umount", str(small)], check=True)
