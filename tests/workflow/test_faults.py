"""What happens when a run is killed, its files are damaged, the disk is full, the configuration is wrong."""

import os
import random
import re
import signal
import subprocess
import time

import polars as pl
import psutil
import pytest
import yaml

from selfincorrect.models.answers import comparable
from tests.conftest import SCRIPT, Workflow, wait_for
from tests.faults.kills import digests, disturbed, keys, slow_workflow


def test_killed_and_run_again(finished, workflow):
    target = "results/scripted/capitals/candidates.parquet"
    (workflow.folder / "script.yaml").write_text(yaml.safe_dump({**SCRIPT, "delay": 0.1}, allow_unicode=True))
    command, silent = workflow.command(target), subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=workflow.folder, stdout=silent, stderr=silent, start_new_session=True
    )
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
    found, whole = (
        comparable(each.table("scripted/capitals/candidates.parquet")) for each in (workflow, finished)
    )
    assert found.equals(whole), "as without the kill"


def jobs_of(process, rule):
    """The processes of a rule's jobs that `process` started."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if f".{rule}.py" in " ".join(child.cmdline())]


def test_a_job_told_to_end_finishes_its_batch_and_is_to_be_requeued(finished, workflow):
    target = "results/scripted/capitals/candidates.parquet"
    (workflow.folder / "script.yaml").write_text(yaml.safe_dump({**SCRIPT, "delay": 0.2}, allow_unicode=True))
    process = subprocess.Popen(
        workflow.command(target),
        cwd=workflow.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: workflow.stored() >= 4)
    job = jobs_of(process, "generate")[0]
    before = workflow.stored()
    job.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode
    assert "to be requeued: told to end (SIGTERM)" in output
    assert "non-zero exit status 75" in output
    assert "Traceback" not in output
    assert before <= workflow.stored() <= before + 8, "the batch in flight, and nothing after it"
    assert workflow.stored() % 4 == 0
    workflow.run(target)
    assert set(keys(workflow).values()) == {1}
    found, whole = (
        comparable(each.table("scripted/capitals/candidates.parquet")) for each in (workflow, finished)
    )
    assert found.equals(whole)


def test_runs_killed_at_random_moments_come_to_the_same_end(tmp_path):
    undisturbed = slow_workflow(tmp_path / "undisturbed")
    undisturbed.run()
    found = disturbed(tmp_path / "disturbed", digests(undisturbed), 2, random.Random(20240404))
    assert (found.of_jobs, found.of_snakemake) == (1, 1)
    assert found.files > 50
    assert found.faults() == []


def test_a_second_run_in_the_same_folder_is_refused(workflow):
    (workflow.folder / "script.yaml").write_text(yaml.safe_dump({**SCRIPT, "delay": 0.1}, allow_unicode=True))
    command = workflow.command("results/scripted/capitals/k4/metrics.parquet")
    first = subprocess.Popen(
        command, cwd=workflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: workflow.stored() >= 4)
    second = workflow.run(check=False)
    assert second.returncode
    assert "cannot be locked" in second.stdout + second.stderr
    assert "--unlock" in second.stdout + second.stderr
    assert first.wait(120) == 0
    assert set(keys(workflow).values()) == {1}


def test_two_runs_share_a_store_at_the_same_time(finished, tmp_path):
    running = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        workflow = Workflow(folder)
        workflow.configure(run=workflow.config["run"] | {"store": str(tmp_path / "store")})
        process = subprocess.Popen(
            workflow.command("tables_only"), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        running.append((workflow, process))
    for workflow, process in running:
        assert process.wait(120) == 0
        found, whole = digests(workflow), digests(finished)
        assert found == {
            name: whole[name] for name in whole if name.split("/")[0] not in ("figures", "paper")
        }


def test_a_shard_of_an_older_version_is_said(workflow):
    workflow.run("results/scripted/capitals/candidates/0.parquet")
    path = workflow.path("scripted/capitals/candidates/0.parquet")
    pl.read_parquet(path).drop("logprob").with_columns(pl.lit(1).alias("score")).write_parquet(path)
    done = workflow.run("results/scripted/capitals/candidates.parquet", check=False)
    assert done.returncode
    assert "candidates/0.parquet was written by another version" in done.stdout + done.stderr
    assert "it lacks logprob (Float64) and has score (Int32) instead" in done.stdout + done.stderr
    kept = workflow.stored()
    path.unlink()
    workflow.run("results/scripted/capitals/candidates.parquet")
    assert workflow.stored() == kept == 48


@pytest.fixture(scope="module")
def jumped(tmp_path_factory):
    """A second run, whose files got times of other days before its last stages."""
    workflow = Workflow(tmp_path_factory.mktemp("jumped"))
    workflow.run("results/scripted/capitals/grades.parquet")
    files = [
        path
        for name in ("results", "resources")
        for path in (workflow.folder / name).rglob("*")
        if path.is_file()
    ]
    draw, now = random.Random(7), time.time()
    for path in sorted(files):
        moment = now + draw.uniform(-86_400, 86_400)
        os.utime(path, (moment, moment))
    ahead = workflow.run(check=False)
    assert ahead.returncode
    assert "clock skew" in ahead.stdout + ahead.stderr
    # docs/cluster.md: give files from the future today's date.
    subprocess.run(
        ["find", "-L", "results", "resources", "-newermt", "now", "-exec", "touch", "{}", "+"],
        cwd=workflow.folder,
        check=True,
    )
    workflow.run()
    return workflow


@pytest.mark.xdist_group("second")
def test_a_clock_that_jumps_costs_no_answer_and_changes_nothing(finished, jumped):
    assert digests(jumped) == digests(finished)
    assert set(keys(jumped).values()) == {1}


@pytest.mark.xdist_group("second")
def test_two_runs_are_equal_to_the_byte(finished, jumped):
    cells = [f"scripted/capitals/{name}.parquet" for name in ("candidates", "k4/choices")]
    tables, figures = (
        ["tables/metrics.csv", "tables/slots.parquet"],
        ["figures/scores.png", "figures/scores.pdf"],
    )
    for name in (*tables, *cells, *figures):
        assert jumped.path(name).read_bytes() == finished.path(name).read_bytes(), name


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
    (workflow.folder / "script.yaml").write_text(
        yaml.safe_dump({"rules": [{"match": "nothing", "answers": ["x"]}]})
    )
    done = workflow.run(check=False)
    assert done.returncode
    assert "No rule of" in done.stderr
    assert workflow.stored() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_full_disk_is_said_and_nothing_is_lost(workflow):
    small = workflow.folder / "results"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(small)], capture_output=True
    ).returncode:
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
