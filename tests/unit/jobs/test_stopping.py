"""Ending early: a signal is heard, nothing new begins, what was in flight is kept, and orphans end."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.jobs import stopping
from selfincorrect.models.ask import OpenedModel, ask
from selfincorrect.models.store import ResponseStore
from tests.conftest import ROOT


@pytest.fixture
def told():
    """The handlers of a job; those of the test run come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    stopping.listen()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    stopping.listen()
    for number, handler in before.items():
        signal.signal(number, handler)


def requests(count):
    return [Request(Prompt("", (), f"question {i}"), Decoding(8, 1.0, 1.0, ()), i) for i in range(count)]


class Interrupted:
    """Gives one answer a batch; the signal comes while it works on the second."""

    asked = 0

    def answer(self, wanted, stop=stopping.requested):
        for request in wanted:
            if stopping.requested():
                return
            self.asked += 1
            if self.asked == 2:
                signal.raise_signal(signal.SIGTERM)
            yield [(request, Response("x", "p", "stop", 1, 1, None))]


def opened(folder, engine):
    return OpenedModel("m", "digest", "completion", None, ResponseStore(folder), lambda: engine, {})


def test_the_batch_in_flight_is_kept_and_nothing_new_begins(told, tmp_path):
    engine = Interrupted()
    with pytest.raises(stopping.ToBeRequeuedError):
        ask(requests(5), opened(tmp_path, engine), "test")
    assert engine.asked == 2
    assert len(ResponseStore(tmp_path)) == 2


def test_a_job_that_has_all_its_answers_goes_on_to_its_end(told, tmp_path):
    assert len(ask(requests(2), opened(tmp_path, Interrupted()), "test")) == 2
    assert stopping.requested()


def test_the_wait_for_what_is_in_flight_ends(told, monkeypatch):
    monkeypatch.setattr(stopping, "GRACE", 0.2)
    start = time.monotonic()
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(stopping.ToBeRequeuedError):
        time.sleep(5)
    assert time.monotonic() - start < 2


def test_a_job_ends_with_the_snakemake_that_started_it(tmp_path):
    parent, marks = tmp_path / "parent.py", tmp_path / "marks"
    child = textwrap.dedent(
        f"""
        import sys, time; sys.path.insert(0, {str(ROOT)!r})
        from selfincorrect.jobs import stopping
        stopping.follow_snakemake()
        while True:
            open({str(marks)!r}, "a").write("x")
            time.sleep(0.05)
        """
    )
    parent.write_text(
        f"import os, subprocess, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from selfincorrect.jobs import stopping\n"
        "os.environ[stopping.SNAKEMAKE] = stopping.identity()\n"
        f"subprocess.run([sys.executable, '-c', {child!r}])\n"
    )
    process = subprocess.Popen([sys.executable, str(parent)], stderr=subprocess.DEVNULL)
    # Two seconds: longer than it waits between two looks.
    while not marks.exists() or marks.stat().st_size < 40:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()  # not waited for: a process that is gone but still listed counts as gone
    time.sleep(3 * stopping.WATCH)
    size = marks.stat().st_size
    time.sleep(1)
    assert marks.stat().st_size == size
    process.wait()


@pytest.mark.parametrize(("who", "ends"), [("{gone} {space}", True), ("{gone} pid:[1]", False), ("", False)])
def test_a_snakemake_that_is_gone_already_counts_unless_it_is_of_another_container(who, ends):
    gone = subprocess.Popen(["true"])
    gone.wait()
    told = who.format(gone=gone.pid, space=stopping.identity().partition(" ")[2])
    code = (
        "import time; from selfincorrect.jobs import stopping; "
        "stopping.follow_snakemake(); time.sleep(1); print('went on')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, stopping.SNAKEMAKE: told},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.returncode == stopping.EXIT_CODE) == ends
    assert ("went on" in done.stdout) != ends
