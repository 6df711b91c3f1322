"""The command `selfincorrect`: every subcommand is there, and its arguments are its own."""

import subprocess
import sys

import pytest

from selfincorrect.cli import called
from selfincorrect.commands import COMMANDS


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "selfincorrect", *arguments], capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_command():
    shown = run("--help").stdout
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("module", [module for module, _ in COMMANDS.values()])
def test_every_command_has_a_main(module):
    assert callable(called(module))


def test_arguments_and_exit_codes_are_those_of_the_module(tmp_path):
    assert "1.56 points" in run("power", "1319", "--mixed", "0.25", "--k", "4").stdout
    missing = run("store", "check", str(tmp_path / "none"))
    assert (missing.returncode, "There is no folder" in missing.stderr) == (1, True)
    assert "usage: selfincorrect store" in run("store", "--help").stdout
    assert run("nothing").returncode == 2


def test_what_follows_two_dashes_is_another_command(tmp_path):
    done = run("with-server", "--serve", "x", "--", "no-such-program", "--cores", "2")
    assert "there is no no-such-program to run" in done.stderr
