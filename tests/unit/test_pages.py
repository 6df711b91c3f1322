"""Pages: what they show as code runs, and what they link to is there."""

import os
import re
import subprocess
import sys

import pytest

from selfincorrect import reference
from tests.conftest import ROOT

PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
)


def test_the_example_without_snakemake_runs(tmp_path):
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("capitals-") == 3
    assert "chosen_sample" in done.stdout


@pytest.mark.parametrize("path", reference.pages())
def test_generated_pages_are_what_the_code_says(path):
    assert (ROOT / path).read_text(encoding="utf-8") == reference.pages()[path], "run `make docs`"


def test_every_rule_is_in_the_flow():
    rules = {
        name
        for path in (ROOT / "workflow" / "rules").glob("*.smk")
        for name in re.findall(r"^rule (\w+):", path.read_text(), re.MULTILINE)
    }
    page = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    assert {rule for rule in rules if not re.search(rf"\b{rule}\b", page)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
