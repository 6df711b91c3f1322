"""A command beside a server that is a job, on a stand-in for SLURM that runs jobs at once.

The real SLURM is in tests/slurm.
"""

import shlex
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PYTHON = shlex.quote(sys.executable)  # in commands of a shell, also where a folder has a space in its name

SBATCH = """#!/bin/sh
echo "$*" >> "$CALLS"
for word in "$@"; do
    case "$word" in --output=*) log="${word#--output=}";; --job-name=*) name="${word#--job-name=}";; esac
done
cat > "$log.script"
setsid bash "$log.script" > "$log" 2>&1 &
echo $! > "$CALLS.$name"
echo "$!;here"
"""
SQUEUE = """#!/bin/sh
kill -0 "$3" 2> /dev/null && echo RUNNING && exit
echo "slurm_load_jobs error: Invalid job id specified" >&2
exit 1
"""
SCANCEL = """#!/bin/sh
echo "scancel" >> "$CALLS"
kill -- "-$(cat "$CALLS.${1#--name=}")"
"""
# Answers with 500 at first, as servers that still load their model do; ends by itself after a number of
# calls, if one is given.
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    calls = 0
    def do_GET(self):
        Handler.calls += 1
        self.send_response(404 if self.path == "/health" else 500 if Handler.calls < 3 else 200)
        self.end_headers()
        if self.path == "/stop":
            os._exit(0)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    for name, text in {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "server.py").write_text(SERVER)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))

    default = f"{PYTHON} {shlex.quote(str(tmp_path))}/server.py {{port}}"

    def started(command, *options, serve=default):
        program = "import sys, selfincorrect.cluster.with_server as w; w.LOOK = 0.1; w.CALM = 5; "
        program += "sys.exit(w.main(sys.argv[1:]))"
        words = [sys.executable, "-c", program, "--serve", serve, "--host", "127.0.0.1"]
        words += ["--folder", str(tmp_path / "server"), *options, "--", "bash", "-c", command, "sh", "{url}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=ROOT)

    return started


def calls(tmp_path):
    return (tmp_path / "calls").read_text().splitlines()


def test_the_command_gets_the_address_and_the_server_ends_after_it(start, tmp_path):
    done = start("echo called $1; exit 3", "--sbatch=--gpus=2 --time=60")
    assert done.returncode == 3, done.stderr
    assert "called http://127.0.0.1:" in done.stdout
    submitted, ended = calls(tmp_path)
    assert submitted.endswith("--gpus=2 --time=60")
    assert ended == "scancel"


def test_a_server_that_is_over_is_followed_by_another_and_the_command_runs_again(start, tmp_path):
    stop = "import urllib.request as u, sys; u.urlopen(sys.argv[1][:-3] + '/stop')"
    once = shlex.quote(f"{tmp_path}/once")
    command = f'test -e {once} && exit 0; touch {once}; {PYTHON} -c "{stop}" $1; sleep 30'
    done = start(command)
    assert done.returncode == 0, done.stderr
    assert "the server's job is over before the command is (server 1 of 4)" in done.stderr
    assert len([call for call in calls(tmp_path) if call != "scancel"]) == 2


def test_servers_that_never_last_are_not_started_for_ever(start, tmp_path):
    stop = "import urllib.request as u, sys; u.urlopen(sys.argv[1][:-3] + '/stop')"
    done = start(f'{PYTHON} -c "{stop}" $1; sleep 30', "--servers", "2")
    assert done.returncode == 1
    assert "No server lasted" in done.stderr
    assert len([call for call in calls(tmp_path) if call != "scancel"]) == 2


@pytest.mark.parametrize(
    ("serve", "patience", "words"),
    [
        ("sh -c 'echo no such model; exit 3'", "20", "has ended. The end of its output:\nno such model\n"),
        ("sleep 30", "1", "does not answer after 1 seconds"),
    ],
)
def test_a_server_that_does_not_answer_is_said(start, tmp_path, serve, patience, words):
    done = start("touch never", "--ready-within", patience, serve=serve)
    assert done.returncode == 1
    assert words in done.stderr
    assert calls(tmp_path)[-1] == "scancel"
    assert not (ROOT / "never").exists()


def test_without_slurm_it_says_so(start, tmp_path, monkeypatch):
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/bash").symlink_to(shutil.which("bash"))
    monkeypatch.setenv("PATH", str(tmp_path / "alone"))
    done = start("true")
    assert done.returncode == 1
    assert "There is no sbatch here" in done.stderr


def test_a_command_that_is_not_there_is_said_before_a_server_is_submitted(start, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    done = start("true")
    assert done.returncode == 2
    assert "there is no bash to run" in done.stderr
    assert not (tmp_path / "calls").exists()
