"""A selector, an engine and a task of another package, found by their entry points."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest

from tests.conftest import ROOT, snakemake

MODULE = {
    "last.py": '''
"""The last candidate is chosen."""
from selfincorrect.discriminate.selectors.base import NoModel
class Last(NoModel):
    def scores(self, candidates, given):
        return list(range(len(candidates)))
SELECTOR = Last()
''',
    "echo.py": '''
"""Says the last word of its query."""
from selfincorrect.engines.kind import EngineKind
from selfincorrect.engines.requests import Response
class Echo:
    def answer(self, requests, stop=lambda: False):
        for r in requests:
            yield [(r, Response(r.prompt.query.split()[-1], r.prompt.text(), "stop", 1, 1, None))]
ENGINE = EngineKind("file", lambda name, settings, folder: {"weights": None}, lambda *_: Echo())
''',
    "spelling.py": '''
"""Spell a word backwards."""
from selfincorrect.sources.kinds import LocalFile
from selfincorrect.tasks.base import Question
SOURCES, COLUMNS, SHOTS, ANSWER_TOKENS, CHOICE_TOKENS = {}, "`word`", 0, 8, 8
def load(rows):
    words = [row["word"] for row in rows]
    return [Question(f"spelling-{i}", f"spelling-{i}", w, (w[::-1],)) for i, w in enumerate(words)]
def trim(text):
    return text.strip()
final, extract, form = trim, trim, trim
def grade(extracted, question):
    return float(extracted == question.references[0])
GRADINGS = {"exact": (extract, grade)}
def simplify(extracted, question, others, draw):
    return "x"
''',
    "spelling.yaml": """
aim: the word backwards
generate: {instruction: Spell it backwards., query: "Word: {question}\\nBackwards:", stop: ["\\n"]}
discriminate:
  solution:
    noun: answer
    wordings: [Name the right one., Which one is it., Choose.]
    query: "Word: {question}\\n{candidates}"
    candidate: "{label}. {text}"
    check: spell each
    opens: "\\nWord:"
demonstrations: []
""",
}  # fmt: skip
POINTS = """[selfincorrect.selectors]
last = others.last:SELECTOR
[selfincorrect.engines]
echo = others.echo:ENGINE
[selfincorrect.tasks]
spelling = others.spelling
"""


@pytest.fixture
def others(tmp_path):
    """A folder with a package `others` 1.0 that is installed when the folder is on the path."""
    package, info = tmp_path / "others", tmp_path / "others-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    for name, text in MODULE.items():
        (package / name).write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "words.jsonl").write_text(
        "\n".join(json.dumps({"word": word}) for word in ("level", "rotor", "lamp"))
    )
    (tmp_path / "model").touch()
    return tmp_path


CONFIG = {
    "models": {"m": {"source": "./model", "prompt": "completion", "engine": "echo"}},
    "tasks": {"spelling": {"source": {"path": "./words.jsonl"}}},
    "k": [2],
    "variants": {"full": {}, "last": {"selector": "last"}},
}


def test_a_whole_run_with_all_three(others):
    (others / "experiment.json").write_text(json.dumps(CONFIG))
    target = "results/m/spelling/k2/metrics.parquet"
    command = snakemake(others, target, config=others / "experiment.json")
    environment = {**os.environ, "PYTHONPATH": f"{others}:{ROOT}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=others, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    table = pl.read_parquet(others / "results/m/spelling/k2/metrics.parquet")
    rows = table.select("variant", "selector", "s_gen").rows()
    assert rows == [("full", "choose", 0.0), ("last", "last", 0.0)]


def test_slices_know_the_version_of_what_is_not_of_this_package(others):
    code = (
        "import json, sys; from selfincorrect.config import slices; from "
        "selfincorrect.config.check.experiment import check; "
        f"c = check(json.loads({json.dumps(CONFIG)!r})); "
        "asked = slices.discriminate(c, 'm', 'spelling', 'm'); "
        "print(json.dumps(asked['plugins'] | slices.select(c, 'm', 'spelling')['plugins']))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{others}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=others, env=environment, timeout=60
    )
    assert json.loads(done.stdout) == {
        "echo": "others 1.0",
        "last": "others 1.0",
        "spelling": "others 1.0",
    }, done.stderr
