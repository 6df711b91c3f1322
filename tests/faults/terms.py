"""Runs told to end (SIGTERM) at random moments, as SLURM does: does each end in time, and go on later?

    python -m tests.faults.terms results/terms.json --terms 100

sends SIGTERM to the process group of scripted runs. Ends with exit code 1 if a run hangs longer than the
grace of its jobs, or if a file of a run that came to its end differs from an undisturbed run's.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selfincorrect.jobs.stopping import GRACE
from tests.faults.kills import LONGEST, digests, slow_workflow


def disturbed(folder: Path, expected: dict[str, str], terms: int, draw: random.Random) -> dict[str, object]:
    """Tell runs to end `terms` times; a finished one is compared with `expected`, and another begins."""
    sent, hung, runs, times, different = 0, 0, 0, [], []
    while sent < terms:
        workflow = slow_workflow(folder / f"run{runs}")
        code = None
        while code != 0:
            with open(workflow.folder / "snakemake.log", "a") as log:
                command = workflow.command()
                process = subprocess.Popen(
                    command, stdout=log, stderr=log, cwd=workflow.folder, start_new_session=True
                )
            try:
                code = process.wait(draw.uniform(0.1, LONGEST) if sent < terms else workflow.timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGTERM)
                start, sent = time.monotonic(), sent + 1
                try:
                    code = process.wait(2 * GRACE)
                except subprocess.TimeoutExpired:
                    hung += 1
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                times.append(time.monotonic() - start)
                if any(workflow.folder.glob(".snakemake/locks/*")):
                    workflow.run("--unlock")
        now = digests(workflow)
        different += sorted(
            f"run{runs}/{n}" for n in now.keys() | expected.keys() if now.get(n) != expected.get(n)
        )
        runs += 1
    median = sorted(times)[len(times) // 2]
    found = {"terms": sent, "hung": hung, "runs": runs, "different": different}
    return {**found, "longest": max(times), "median": median}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Tell runs to end at random moments and look whether they do."
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--terms", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        undisturbed = slow_workflow(Path(name, "undisturbed"))
        undisturbed.run()
        found = disturbed(
            Path(name, "told"), digests(undisturbed), options.terms, random.Random(options.seed)
        )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["hung"] or found["different"] else 0)


if __name__ == "__main__":
    main()
