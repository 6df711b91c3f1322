"""The workflow through a real SLURM: what is submitted, what happens when jobs die, and what comes out.

Results must be those of a local run. `make test-slurm` runs these tests; they take minutes, since SLURM is
polled, and are skipped, with the reason, where no SLURM can be started.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, SCRIPT, Workflow, snakemake, wait_for
from tests.slurm.cluster import cluster, jobs, missing, run

MODEL_JOBS = "results/scripted/capitals/k2/choices.parquet"  # and what it needs: all jobs that ask a model
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"no SLURM here: needs {', '.join(missing())}"),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("slurm"), gpus=2) as made:
        yield made


class ClusterWorkflow(Workflow):
    """Snakemake with the project's SLURM profile, made quicker to look and smaller for one node."""

    timeout = 900
    profile = "slurm"
    local = False  # whether jobs run here, without SLURM

    def slow(self, delay: float) -> None:
        """Let each answer take `delay` seconds."""
        script = SCRIPT | {"delay": delay}
        (self.folder / "script.yaml").write_text(yaml.safe_dump(script, allow_unicode=True))

    def command(self, *arguments: str) -> list[str]:
        if self.local:
            return super().command(*arguments)
        words = ["--latency-wait", "5", "--workflow-profile", str(ROOT / "workflow/profiles" / self.profile)]
        words += ["--default-resources", "mem_mb=1000*attempt", "runtime=5*attempt", "slurm_partition=main"]
        words += ["--slurm-init-seconds-before-status-checks", "2"]
        config = self.folder / "experiment.yaml"
        return snakemake(self.folder, *words, *arguments, config=config, cores=1)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        log = open(self.folder / "snakemake.log", "w")  # noqa: SIM115
        return subprocess.Popen(
            self.command(*arguments),
            stdout=log,
            stderr=log,
            text=True,
            cwd=self.folder,
            start_new_session=True,
        )


@pytest.fixture
def submitted(tmp_path, slurm):
    workflow = ClusterWorkflow(tmp_path)
    workflow.configure(k=[2])
    return workflow


def mine(workflow: Workflow) -> list[dict[str, str]]:
    """The jobs of a workflow, by the folder they ran in."""
    return [job for job in jobs() if job["WorkDir"] == str(workflow.folder)]


def of_rule(workflow: Workflow, rule: str) -> list[dict[str, str]]:
    """The jobs of a rule of a workflow, whose log has the rule's name in its path."""
    return [job for job in mine(workflow) if f"rule_{rule}/" in job["StdOut"] or f"/{rule}/" in job["StdOut"]]


def assert_equal_to_a_local_run(workflow: ClusterWorkflow, folder: Path) -> None:
    """Compare the workflow's results with those of a local run in `folder`.

    What is not there yet, tables and figures, is made without SLURM, which takes a quarter of a minute a job.
    """
    workflow.local = True
    workflow.run()
    folder.mkdir()
    local = Workflow(folder)
    local.configure(**{key: value for key, value in workflow.config.items() if key in ("k", "tasks", "run")})
    local.run()
    for name in (
        "tables/metrics.parquet",
        "tables/slots.parquet",
        "scripted/capitals/candidates.parquet",
        "scripted/capitals/k2/choices.parquet",
    ):
        one, other = workflow.table(name), local.table(name)
        if "seed" in one.columns or "model" not in one.columns:
            one, other = (table.sort(table.columns[0]) for table in (one, other))
        assert one.equals(other), name
    assert workflow.stored() == local.stored(), "no answer was asked for twice"


def test_jobs_are_submitted_with_what_they_ask_for(submitted, tmp_path):
    submitted.configure(
        k=[2],
        tasks={"capitals": {"limit": 12, "shards": 2}},
        run=submitted.config["run"] | {"device": "cuda"},
    )
    submitted.run("results/scripted/capitals/candidates.parquet")
    submitted.profile = "slurm-gres"
    submitted.run("--set-resources", "discriminate:gres=gpu:pretend:2", "discriminate:gpu=0")
    names = {
        rule: of_rule(submitted, rule)
        for rule in ("generate", "discriminate", "measure", "prepare_dataset", "prepare_model")
    }
    assert [len(names[rule]) for rule in ("generate", "discriminate", "measure")] == [2, 2, 1]
    assert not names["prepare_dataset"] + names["prepare_model"], (
        "what needs a network runs where Snakemake runs"
    )
    assert {job["TresPerJob"] for job in names["generate"]} == {"gres:gpu:1"}, "by --gpus"
    assert names["discriminate"][0]["TresPerNode"] == "gres:gpu:pretend:2", "by --gres"
    assert {job["MinMemoryNode"] for job in names["generate"]} == {"3000M"}, "of a model without weights"
    assert names["measure"][0]["MinMemoryNode"] == "1000M"
    assert names["measure"][0]["TimeLimit"] == "00:05:00"
    assert {job["JobState"] for job in mine(submitted)} == {"COMPLETED"}
    assert_equal_to_a_local_run(submitted, tmp_path / "local")


def test_a_cancelled_job_is_submitted_again(submitted, tmp_path):
    submitted.slow(0.4)
    process = submitted.start(MODEL_JOBS)
    job = wait_for(lambda: [j for j in of_rule(submitted, "generate") if j["JobState"] == "RUNNING"])[0]
    wait_for(lambda: submitted.stored() >= 8)
    run("scancel", job["JobId"])
    assert process.wait(600) == 0
    states = sorted(each["JobState"] for each in of_rule(submitted, "generate"))
    assert states == ["CANCELLED", "COMPLETED"]
    assert_equal_to_a_local_run(submitted, tmp_path / "local")


def test_a_job_that_needs_more_memory_gets_it(submitted, tmp_path):
    submitted.slow(0.4)
    submitted.run(MODEL_JOBS, "--set-resources", "generate:mem_mb=120*attempt**4")
    done = of_rule(submitted, "generate")
    assert [job["JobState"] for job in done][-1] == "COMPLETED"
    assert {job["JobState"] for job in done[:-1]} <= {"OUT_OF_MEMORY", "FAILED", "CANCELLED"}
    assert [job["MinMemoryNode"] for job in done] == ["120M", "1920M"]
    assert_equal_to_a_local_run(submitted, tmp_path / "local")


def test_a_job_that_needs_more_time_gets_it_and_asks_nothing_twice(submitted, tmp_path):
    submitted.slow(2.4)  # 48 answers: 115 seconds, 4 of them in flight for 10
    submitted.run(MODEL_JOBS, "--set-resources", "generate:runtime=attempt", "discriminate:runtime=5")
    done = of_rule(submitted, "generate")
    assert len(done) >= 2
    assert [job["JobState"] for job in done] == ["TIMEOUT"] * (len(done) - 1) + ["COMPLETED"]
    assert [job["TimeLimit"] for job in done] == [f"00:0{attempt}:00" for attempt in range(1, len(done) + 1)]
    # SLURM sends SIGTERM, its srun tells no more, and 30 seconds later all is killed: what was in flight is
    # kept.
    asked, wanted = re.findall(r"(\d+)/(\d+) answers", Path(done[0]["StdOut"]).read_text())[-1]
    assert int(asked) < int(wanted) == 48
    kept = sorted(path.read_bytes().count(b"\n") for path in submitted.path("store").rglob("*.jsonl"))
    assert int(asked) + 4 in kept, "what the first job wrote"
    assert_equal_to_a_local_run(submitted, tmp_path / "local")


def test_a_killed_main_process_is_recovered_as_documented(submitted, tmp_path):
    submitted.slow(0.4)
    process = submitted.start(MODEL_JOBS)
    wait_for(lambda: [j for j in of_rule(submitted, "generate") if j["JobState"] == "RUNNING"])
    wait_for(lambda: submitted.stored() >= 4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # docs/cluster.md: end what is still running, unlock, run again.
    run("scancel", *(job["JobId"] for job in mine(submitted) if job["JobState"] in ("RUNNING", "PENDING")))
    wait_for(
        lambda: not [j for j in mine(submitted) if j["JobState"] in ("RUNNING", "PENDING", "COMPLETING")]
    )
    submitted.run("--unlock")
    submitted.run(MODEL_JOBS)
    assert_equal_to_a_local_run(submitted, tmp_path / "local")
