"""Runs killed at random moments, again and again, until they are through: is anything lost, doubled, changed?

    python -m tests.faults.kills results/faults.json --kills 200

kills (SIGKILL) in turn a job that works and Snakemake itself, of scripted runs that take their time, each
time followed by the documented recovery, and writes what was found. Ends with exit code 1 if a file differs
from an undisturbed run's or an answer was asked for twice that had been stored.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from tests.conftest import SCRIPT, Workflow

BATCH = 4  # answers in flight in a job
DELAY = 0.04  # seconds an answer
LONGEST = 8.0  # most seconds until a kill, of Snakemake since its start, of a job since the first job's start
APART = ("logs", "benchmarks", "store", "report.html", "run.json")  # what tells of times


@dataclass
class Found:
    """What happened in the runs.

    `asked` counts the answers that an engine gave, `stored` those that were kept, `doubled` those kept twice.
    """

    kills: int = 0
    of_jobs: int = 0
    of_snakemake: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)  # the rules whose jobs were killed
    runs: int = 0  # runs that were finished
    files: int = 0  # files that were compared
    different: list[str] = field(default_factory=list)
    asked: int = 0
    stored: int = 0
    doubled: int = 0
    seconds: float = 0.0

    def add(self, other: "Found") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def faults(self) -> list[str]:
        """What must not happen, in words."""
        lost = self.asked - self.stored
        return [
            *(f"{name} is not what it is without kills" for name in self.different),
            *([f"{self.doubled} answers are in the store twice"] if self.doubled else []),
            *([f"{lost} answers were lost in {self.kills} kills"] if lost > self.kills * BATCH * 2 else []),
        ]


def slow_workflow(folder: Path) -> Workflow:
    """A scripted run of 16 jobs, of which two at a time ask for answers."""
    folder.mkdir(parents=True)
    workflow = Workflow(folder)
    workflow.configure(tasks={"capitals": {"limit": 12, "shards": 2}})
    (folder / "script.yaml").write_text(yaml.safe_dump(SCRIPT | {"delay": DELAY}, allow_unicode=True))
    return workflow


def digests(workflow: Workflow) -> dict[str, str]:
    """The SHA-256 of each file of a finished run, without those that tell of times."""
    root = workflow.path("")
    files = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    kept = {name: path for name, path in files.items() if name.parts[0] not in APART}
    return {str(name): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in kept.items()}


def keys(workflow: Workflow) -> Counter[str]:
    segments = [path.read_text() for path in workflow.path("store").rglob("*.jsonl")]
    lines = [line for segment in segments for line in segment.split("\n")[:-1]]
    return Counter(json.loads(line)["key"] for line in lines)


def asked(workflow: Workflow) -> int:
    """The number of answers that engines gave in all, killed runs included."""
    accounts = [json.loads(path.read_text()) for path in workflow.path("logs").rglob("*.answering.json")]
    return sum(account["answers"] + account["earlier"]["answers"] for account in accounts)


def disturbed(folder: Path, expected: dict[str, str], kills: int, draw: random.Random) -> Found:
    """Kill runs at random moments; what is finished is compared with `expected`, and another run begins."""
    found = Found()
    while found.kills < kills:
        workflow = slow_workflow(folder / f"run{found.runs}")
        while not _run_until_killed(workflow, found, kills, draw):
            if any(workflow.folder.glob(".snakemake/locks/*")):
                workflow.run("--unlock")  # as docs/cluster.md says
        now = digests(workflow)
        found.different += sorted(
            f"{workflow.folder.name}/{n}"
            for n in now.keys() | expected.keys()
            if now.get(n) != expected.get(n)
        )
        stored = keys(workflow)
        found.runs, found.files = found.runs + 1, found.files + len(now)
        found.asked, found.stored = found.asked + asked(workflow), found.stored + len(stored)
        found.doubled += sum(count - 1 for count in stored.values())
    return found


def _run_until_killed(workflow: Workflow, found: Found, kills: int, draw: random.Random) -> bool:
    """Start Snakemake and kill it, or a job of its, at a random moment. True if it came to its end before."""
    kill_job = found.kills % 2 == 0
    with open(workflow.folder / "snakemake.log", "a") as log:
        snakemake = subprocess.Popen(workflow.command(), stdout=log, stderr=log, cwd=workflow.folder)
    if found.kills == kills:
        if snakemake.wait(workflow.timeout):
            raise RuntimeError(f"a run that nobody disturbed failed: see {workflow.folder}/snakemake.log")
        return True
    wait = draw.uniform(0.1, LONGEST)
    moment = None if kill_job else time.monotonic() + wait
    while snakemake.poll() is None:
        job = _job_of(snakemake) if kill_job else None
        if moment is None and job:
            moment = time.monotonic() + wait
        if moment and time.monotonic() >= moment and (job or not kill_job):
            victim = job or psutil.Process(snakemake.pid)
            try:
                rule = _rule_of(victim) if job else ""
                os.kill(victim.pid, signal.SIGKILL)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue
            found.kills += 1
            found.of_jobs, found.of_snakemake = found.of_jobs + kill_job, found.of_snakemake + (not kill_job)
            found.by_rule[rule] += kill_job
            return snakemake.wait(workflow.timeout) == 0
        time.sleep(0.01)
    return snakemake.returncode == 0


def _job_of(snakemake: subprocess.Popen[bytes]) -> psutil.Process | None:
    """The process of a job that runs now."""
    try:
        children = psutil.Process(snakemake.pid).children(recursive=True)
        return next((child for child in children if _rule_of(child)), None)
    except psutil.NoSuchProcess:
        return None


def _rule_of(process: psutil.Process) -> str:
    """generate, of a process that runs .snakemake/scripts/tmp….generate.py; empty for other processes."""
    scripts = [word for word in process.cmdline() if "/.snakemake/scripts/" in word]
    return Path(scripts[0]).name.split(".")[1] if scripts else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Kill runs at random moments and look for what was lost, doubled or changed."
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--together", type=int, default=2, help="runs that are disturbed at the same time")
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        undisturbed = slow_workflow(Path(name, "undisturbed"))
        undisturbed.run()
        expected, each = digests(undisturbed), -(-options.kills // options.together)
        with ThreadPoolExecutor(options.together) as pool:
            parts = list(
                pool.map(
                    lambda i: disturbed(
                        Path(name, f"part{i}"), expected, each, random.Random(f"{options.seed} {i}")
                    ),
                    range(options.together),
                )
            )
    found = Found()
    for part in parts:
        found.add(part)
    found.seconds = round(time.perf_counter() - start)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(vars(found), indent=2) + "\n")
    print(json.dumps(vars(found), indent=2))
    sys.exit("\n".join(found.faults()) or 0)


if __name__ == "__main__":
    main()
