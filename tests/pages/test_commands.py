"""Every command of the README, the tutorial and the how-tos is run, each page's one after the other in a
folder of its own; and what they show of configurations is right.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.errors import UserError
from tests.conftest import ROOT

pytestmark = pytest.mark.pages
PAGES = [
    ROOT / "README.md",
    ROOT / "config/README.md",
    *sorted((ROOT / "docs/tutorial").glob("*.md")),
    *sorted((ROOT / "docs/how-to").glob("*.md")),
]
WITH_COMMANDS = [*PAGES, ROOT / "docs/cluster.md", ROOT / "docs/reproducing.md", ROOT / "docs/scale.md"]
# Programs of others, which this project cannot bring along.
ELSEWHERE = ("llama-server", "vllm", "pip", "jupyter", "export", "git", "tmux")
# What other tests run (a cluster, environments, images), and a server that comes as a module.
OTHERS = re.compile(r"my-site|--sdm|sglang|make \.venv|requirements-slurm")
# Commands that would fetch models or take long: shown what they would do, which checks their arguments.
PLANNED = {
    r"make (run|test|reproduce)(.*)": r"make -n \1\2",
    r"selfincorrect (run|estimate) (?!.*-n\b)(.*)": r"selfincorrect \1 \2 -n",
    r"snakemake (?!-n)(.*)": r"snakemake -n \1",
}


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    lines = [
        line.split("  #")[0].split(" # ")[0].strip()
        for block in blocks(page, "bash")
        for line in block.splitlines()
    ]
    return [line.removeprefix(".venv/bin/") for line in lines if line and not line.startswith("#")]


def planned(command: str) -> str:
    for pattern, instead in PLANNED.items():
        if re.fullmatch(pattern, command):
            return re.sub(pattern, instead, command)
    return command


@pytest.fixture
def project(tmp_path, finished):
    """A folder like the project's, with finished runs where the pages have some."""
    for path in ROOT.iterdir():
        if path.name not in ("results", "resources", ".snakemake", ".git", "site", ".test"):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(
        ROOT / ".test", tmp_path / ".test", ignore=shutil.ignore_patterns("results", ".snakemake")
    )
    for run in ("mine", "other", "quiz", "."):
        shutil.copytree(finished.path("tables").parent, tmp_path / run / "results", dirs_exist_ok=True)
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    return tmp_path


@pytest.mark.parametrize("page", [*filter(commands, WITH_COMMANDS)], ids=lambda page: page.name)
def test_commands_run(project, page):
    for name, text in zip(("quiz.csv",), blocks(page, "csv"), strict=False):
        (project / name).write_text(text, encoding="utf-8")
    if "selfincorrect new" not in page.read_text(encoding="utf-8"):
        shutil.copy(project / ".test/config/config.yaml", project / "mine.yaml")
        shutil.copy(project / ".test/script.yaml", project / "mine/script.yaml")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "MY_KEY": "none"}
    ran = 0
    for command in map(planned, commands(page)):
        if shlex.split(command)[0] in ELSEWHERE or OTHERS.search(command):
            continue
        done = subprocess.run(
            ["bash", "-c", command], cwd=project, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        ran += 1
    assert ran or page.name == "notebook.md"


def problems(block: str) -> set[str]:
    """What is wrong with a configuration, but for files that only its reader has."""
    try:
        check(yaml.safe_load(block))
    except UserError as error:
        allowed = re.findall(r"allowed: (.*)", str(error))
        return {line for line in allowed if not line.startswith(("a file", "a folder", "a GGUF file"))}
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_configurations_are_right(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", "none")
    assert [problems(block) for block in blocks(page, "yaml") if problems(block)] == []
