"""Shared fixtures: a scripted experiment in a folder of its own, and Snakemake as a user runs it."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

ROOT = Path(__file__).parent.parent

# The answers of a model that knows some capitals, and echoes the query's own words where it does not.
CAPITALS = ["Paris", "Vienna", "Rome", "{place} City", "<script>alert(1)</script>"]
CHOICES = ["1", "2", "The best is 2.", "I cannot say", "7"]
SUMS = ["It is 2 + 2 = 4.\n#### 4", "So 18.\n#### 18", "no idea", "#### 1,200.00"]
SCRIPT: dict[str, Any] = {
    "rules": [
        {"match": "(Number|Letter) of the best answer", "answers": CHOICES},
        {"match": "Which (solution|result) is best", "answers": ["All wrong.\n### 1", "### 2", "### 9"]},
        {"match": r"capital of (?P<place>[^?]+)\?", "answers": CAPITALS},
        {"match": "Question:", "answers": SUMS},
    ]
}


def experiment(folder: Path, **changes: Any) -> dict[str, Any]:
    """A small configuration on a scripted model, its files in `folder`; `changes` replace sections."""
    (folder / "script.yaml").write_text(yaml.safe_dump(SCRIPT, allow_unicode=True))
    return {
        "models": {"scripted": {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"}},
        "tasks": {"capitals": {"limit": 12}},
        "sampling": {"n": 4},
        "k": [2, 4],
        "variants": {"full": {}, "simplified": {"distractors": "easy"}},
        "run": {"device": "cpu", "threads": 1, "batch_size": 4},
        "figures": {"dpi": 50},
    } | changes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole runs first: started last, one would keep a single worker busy while the others wait."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


def snakemake(folder: Path, *arguments: str, config: Path | None = None, cores: int = 2) -> list[str]:
    """The command that runs the workflow of this copy in `folder`."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    words += ["--configfile", str(config)] if config else []  # first: it takes all words up to an option
    return [*words, "--directory", str(folder), "--cores", str(cores), "--nocolor", *arguments]


class Workflow:
    """Snakemake in a working folder, with a configuration written beside it."""

    timeout = 900  # seconds of one run; slow machines that are busy with others took more than 300

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configure()

    def configure(self, **changes: Any) -> None:
        self.config = experiment(self.folder, **changes)
        (self.folder / "experiment.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        return snakemake(self.folder, *arguments, config=self.folder / "experiment.yaml")

    def run(
        self, *arguments: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        place = {"cwd": self.folder, "timeout": self.timeout, "env": {**os.environ, **(env or {})}}
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, **place)
        if check and done.returncode:
            pytest.fail(f"snakemake {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def rules_run(self, done: subprocess.CompletedProcess[str]) -> list[str]:
        """The names of the rules that a run executed, or that a dry run would."""
        lines = (done.stdout + done.stderr).splitlines()
        prefixes = ("rule ", "localrule ")
        return sorted({line.split()[1].rstrip(":") for line in lines if line.startswith(prefixes)} - {"all"})

    def path(self, name: str) -> Path:
        return self.folder / "results" / name

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.path(name))

    def stored(self) -> int:
        """The number of answers in the response store, all segments together."""
        return sum(path.read_bytes().count(b"\n") for path in self.path("store").rglob("*.jsonl"))


def wait_for(true: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What `true` returns, once it is true."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


WITHOUT_PAGES = ("--", "results/run.json")  # for `reproduce`: what is compared, without figures and report


def reproduce(record: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The recorded run made again in `folder`, whatever state this copy of the code is in."""
    command = [
        sys.executable,
        "-m",
        "selfincorrect",
        "reproduce",
        str(record),
        "--directory",
        str(folder),
        "--cores",
        "2",
    ]
    return subprocess.run(
        [*command, "--force", "--yes", *more], capture_output=True, text=True, cwd=ROOT, timeout=300
    )


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    return Workflow(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A finished scripted run in a path with spaces, which tests only read.

    The first worker that needs it makes it; each works with a copy, since Snakemake locks a folder.
    """
    own = tmp_path_factory.mktemp("mine") / "a finished run"
    together = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        together = together.parent
    made = together / "a finished run"
    with open(together / "finished.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "results/report.html").exists():
            made.mkdir(exist_ok=True)
            Workflow(made).run()
    shutil.copytree(made, own, symlinks=True)
    return Workflow(own)


MakeQuestions = Callable[..., Any]
