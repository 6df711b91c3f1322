"""Arguments of make are words for a program, and never commands."""

import os
import subprocess

import pytest

from tests.conftest import ROOT

TARGETS = [
    ("run", "DIR"),
    ("run", "ARGS"),
    ("run", "CORES"),
    ("reproduce", "RUN"),
    ("reproduce", "FILES"),
    ("test", "ARGS"),
    ("scale", "ARGS"),
]


@pytest.mark.parametrize(("target", "variable"), TARGETS)
def test_nothing_in_an_argument_is_run(tmp_path, target, variable):
    for program in ("python", "snakemake", "selfincorrect"):
        (tmp_path / program).write_text('#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done\n')
        (tmp_path / program).chmod(0o755)
    planted = tmp_path / "planted"
    value = f"a `touch {planted}` $(touch {planted}) ; touch {planted} -k 'b or c'"
    made = {"RUN": "record.json", variable: value.replace("$", "$$")}
    done = subprocess.run(
        ["make", "-s", "-C", str(ROOT), target, f"BIN={tmp_path}", "-o", ".venv/.run", "-o", ".venv/.test",
        *(f"{k}={v}" for k, v in made.items())],
        capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not planted.exists()
    assert (
        "[b or c]" if variable == "ARGS" else f"[{value}]"
    ) in done.stdout or f"[{value}/results]" in done.stdout
