"""What Snakemake needs for a large experiment before, and beside, its jobs: `python -m bench.graph --help`.

A real configuration of this workflow on scripted models, ten jobs a cell (model x task): four shards of
generation, their collection, grading, discrimination, and measurement at three k. Nothing of it is asked of a
model: finished results are empty files that `snakemake --touch` records as if their jobs had run. A line of
JSON a measurement.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
TASKS = (
    *("gsm8k", "triviaqa", "truthfulqa", "capitals"),
    *("constrained_generation", "acronym_generation", "sentiment_reversal", "mt_bench"),
)
SHARDS, K = 4, [2, 3, 4]
# Touching waits a tenth of a second for each job, so that times of files differ; nanoseconds do that too.
TOUCH = """
import sys
from snakemake.cli import main
from snakemake.executors.touch import Executor
Executor.SLEEPING_TIME = 0
main(sys.argv[1:])
"""
# What executors of clusters add to the command of a job, as far as it shapes what is read and resolved.
JOB = (
    *("--allowed-rules", "collect", "--attempt", "1", "--force-use-threads", "--force"),
    *("--target-files-omit-workdir-adjustment", "--max-inventory-time", "0", "--retries", "0"),
    *("--no-hooks", "--nolock", "--ignore-incomplete", "--mode", "subprocess"),
)
ANSWERS = {"rules": [{"match": ".", "answers": ["1"]}]}


def configuration(models: int) -> dict[str, Any]:
    """`models` scripted models on all tasks of the project: ten jobs a cell, and MT-Bench's judge."""
    tasks: dict[str, Any] = {task: {"shards": SHARDS} for task in TASKS}
    tasks["mt_bench"]["judges"] = {"judge": "model-000"}
    entry = {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"}
    return {
        "models": {f"model-{number:03d}": dict(entry) for number in range(models)},
        "tasks": tasks,
        "k": K,
        "run": {"device": "cpu", "threads": 1},
    }


class Experiment:
    """The configuration in a folder, and Snakemake on it as a user runs it."""

    def __init__(self, folder: Path, models: int, root: Path = ROOT) -> None:
        self.folder, self.root = folder, root
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "script.yaml").write_text(yaml.safe_dump(ANSWERS))
        (folder / "experiment.yaml").write_text(yaml.safe_dump(configuration(models), sort_keys=False))

    def command(self, *arguments: str, program: tuple[str, ...] = ("-m", "snakemake")) -> list[str]:
        start = [sys.executable, *program, "--snakefile", str(self.root / "Snakefile"), "--cores", "2"]
        start += ["--directory", str(self.folder), "--nocolor"]
        return [*start, *arguments, "--configfile", str(self.folder / "experiment.yaml")]

    def measured(self, what: str, *arguments: str, **more: Any) -> dict[str, Any]:
        """Run it; the result has wall seconds, CPU seconds, MiB at most and the number of jobs it tells.

        An error ends the program.
        """
        command, environment = self.command(*arguments, **more), {**os.environ, "PYTHONPATH": str(self.root)}
        with tempfile.TemporaryFile("w+") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=self.folder, env=environment
            )
            # The usage of this child alone; getrusage would keep the largest of all.
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            output.seek(0)
            told = output.read()
        if status:
            raise SystemExit(f"{what} ended with {os.waitstatus_to_exitcode(status)}:\n{told[-3000:]}")
        total = re.search(r"^total\s+(\d+)", told, re.MULTILINE)
        return {
            "what": what,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "mebibytes": round(usage.ru_maxrss / 1024),
            "jobs": int(total[1]) if total else 0,
        }

    def make_empty(self) -> None:
        """Make every output that is not there as an empty file."""
        environment = {**os.environ, "PYTHONPATH": str(self.root)}
        command = self.command("--summary", "--quiet", "all")
        listed = subprocess.run(
            command, capture_output=True, text=True, cwd=self.folder, env=environment, check=True
        )
        for line in listed.stdout.splitlines():
            path = self.folder / line.split("\t")[0]
            if line.startswith("res") and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()


def measurements(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """The measurements of an experiment of one size, in a new folder."""
    measured, dry = experiment.measured, ("-n", "--quiet", "rules")
    yield measured("resolve, nothing made", *dry)
    measured("one pool", "results/model-000/capitals/candidates.parquet", "--quiet", "all")
    yield measured("resolve one cell", "results/model-000/gsm8k/k4/metrics.parquet", *dry)
    yield measured(
        "one job as a cluster runs it", *JOB, "--target-jobs", "collect:model=model-000,task=capitals"
    )
    experiment.make_empty()
    touch = ("--touch", "--forceall", "--quiet", "all", "--cores", "1000")
    yield measured("schedule and record every job", *touch, program=("-c", TOUCH))
    yield measured("resolve, all made", *dry)
    yield measured("do nothing, all made", "--quiet", "all")
    yield measured("do nothing with --rerun-triggers mtime", "--rerun-triggers", "mtime", "--quiet", "all")
    yield measured("resolve one cell, all made", "results/model-000/gsm8k/k4/metrics.parquet", *dry)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.graph", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--models", type=int, nargs="+", default=[12, 37, 125], help="80 jobs each")
    parser.add_argument(
        "--folder", type=Path, help="where to work; default: the system's folder for temporary files"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the workflow to measure; default: this one")
    given = parser.parse_args()
    for models in given.models:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            for row in measurements(Experiment(Path(folder), models, given.root)):
                print(json.dumps({"models": models, **row}), flush=True)


if __name__ == "__main__":
    main()
