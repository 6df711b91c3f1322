"""What Snakemake needs for a large experiment before, and beside, its jobs: `python -m bench.graph --help`.

A real configuration of this workflow on scripted models, ten jobs a cell (model x task): four shards of generation, their
collection, grading, discrimination, and measurement at three k. Nothing of it is asked of a model: finished results are
empty files that `snakemake --touch` records as if their jobs had run. A line of JSON a measurement.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
TASKS = ("gsm8k", "triviaqa", "truthfulqa", "capitals", "constrained_generation", "acronym_generation", "sentiment_reversal", "mt_bench")  # fmt: skip
SHARDS, K = 4, [2, 3, 4]
TOUCHED_AT_ONCE = 1000  # cells' files are made in one go, whatever their number
ANSWERS = {"rules": [{"match": ".", "answers": ["1"]}]}


def configuration(models: int) -> dict[str, Any]:
    """`models` scripted models on all tasks of the project, ten jobs a cell; MT-Bench has one more, its judge."""
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

    def __init__(self, folder: Path, models: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "script.yaml").write_text(yaml.safe_dump(ANSWERS))
        (folder / "experiment.yaml").write_text(yaml.safe_dump(configuration(models), sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        return [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder),
            "--cores", "2", "--nocolor", *arguments, "--configfile", str(self.folder / "experiment.yaml"),
        ]  # fmt: skip

    def measured(self, what: str, *arguments: str) -> dict[str, Any]:
        """Run it; wall seconds, CPU seconds, MiB at most, and the number of jobs that it says. Ends the program on an error."""
        with tempfile.TemporaryFile("w+") as output:
            start = time.perf_counter()
            process = subprocess.Popen(self.command(*arguments), stdout=output, stderr=output, cwd=self.folder)
            _, status, usage = os.wait4(process.pid, 0)  # of this child alone; getrusage would keep the largest of all
            seconds = time.perf_counter() - start
            output.seek(0)
            told = output.read()
        if status:
            raise SystemExit(f"{what} ended with {os.waitstatus_to_exitcode(status)}:\n{told[-3000:]}")
        total = re.search(r"^total\s+(\d+)", told, re.MULTILINE)
        return {
            "what": what, "seconds": round(seconds, 1), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "mebibytes": round(usage.ru_maxrss / 1024), "jobs": int(total[1]) if total else 0,
        }  # fmt: skip

    def finish(self) -> dict[str, Any]:
        """Make every output as an empty file, and let Snakemake record it as made; what that took."""
        listed = subprocess.run(
            self.command("--summary"), capture_output=True, text=True, cwd=self.folder, check=True
        ).stdout
        names = [line.split("\t")[0] for line in listed.splitlines() if line.startswith("res")]
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return self.measured("record as made (--touch)", "--touch", "--quiet", "all")


def measurements(folder: Path, models: int, cell: str) -> list[dict[str, Any]]:
    """Of one size, in a new folder."""
    experiment = Experiment(folder, models)
    dry = ("-n", "--quiet", "rules")
    one = f"results/{cell}/k4/metrics.parquet"
    rows = [
        experiment.measured("resolve, nothing made", *dry),
        experiment.measured("resolve one cell", *dry, one),
        experiment.finish(),
        experiment.measured("resolve, all made", *dry),
        experiment.measured("do nothing, all made", "--quiet", "all"),
        experiment.measured("resolve, all made, --rerun-triggers mtime", *dry, "--rerun-triggers", "mtime"),
        experiment.measured("start of one job", *JOB, *shard_job(cell)),
    ]
    return rows


# What Snakemake adds to the command of a job that it gives to an executor, as far as it shapes what is resolved.
JOB = (
    "--force",
    "--nolock",
    "--ignore-incomplete",
    "--rerun-triggers",
    "mtime",
    "--mode",
    "remote",
    "-n",
    "--quiet",
    "rules",
)


def shard_job(cell: str) -> Sequence[str]:
    model, task = cell.split("/")
    return ("--allowed-rules", "generate", "--target-jobs", f"generate:model={model},task={task},shard=0", "--")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.graph", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--models", type=int, nargs="+", default=[12, 37, 125], help="80 jobs each")
    parser.add_argument("--folder", type=Path, help="where to work, new; default: a temporary folder")
    given = parser.parse_args()
    for models in given.models:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            for row in measurements(Path(folder), models, "model-000/gsm8k"):
                print(json.dumps({"models": models, **row}), flush=True)


if __name__ == "__main__":
    main()
