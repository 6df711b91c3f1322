"""Run a command against a model server that is a SLURM job: submit it, wait until it answers, run, end it.

    selfincorrect with-server --sbatch='--gpus=8 --time=24:00:00' \\
        --serve 'vllm serve meta-llama/Meta-Llama-3-70B-Instruct --tensor-parallel-size 8 \\
            --host 0.0.0.0 --port {port}' \\
        -- snakemake --workflow-profile my-site --directory mine --configfile mine.yaml \\
            --config 'models={big: {server: {url: "{url}"}}}'

`{port}` in the server's command is a free port of the node it lands on, `{url}` in the other the address to
call. A server that ends before the command does (its time is over, its node failed) is followed by another,
and the command is run again: answers that came are in the response store.
"""

import argparse
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from selfincorrect.errors import UserError
from selfincorrect.jobs.job import plain_text

log = logging.getLogger("selfincorrect")

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # nodes are not behind a proxy
LOOK = 5.0  # seconds between two looks at the server and its job
CALM = 60.0  # seconds that a command which was interrupted has to end

# This runs on the node: the port is free there and then, and the address is told when it is known.
JOB = """#!/bin/bash
port=$({python} -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
echo "http://{host}:$port/v1" > {address}.tmp && mv {address}.tmp {address}
{serve}
"""


class Job:
    """A server as a SLURM job of its own name.

    `address` is a file that the job writes; its output goes to `log`.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"server-{uuid.uuid4().hex[:8]}"
        self.address, self.log = folder / f"{self.name}.address", folder / f"{self.name}.log"

    def submit(self, serve: str, options: Sequence[str], host: str) -> None:
        """Submit the job, whose script runs `serve`. Raises UserError if SLURM refuses."""
        python, address = shlex.quote(sys.executable), shlex.quote(str(self.address))
        script = JOB.format(python=python, host=host, address=address, serve=serve.replace("{port}", "$port"))
        command = ["sbatch", "--parsable", f"--job-name={self.name}", f"--output={self.log}", *options]
        try:
            done = subprocess.run(command, input=script, capture_output=True, text=True)
        except FileNotFoundError:
            raise UserError(
                "There is no sbatch here: run this where jobs are submitted, on a login node."
            ) from None
        if done.returncode:
            raise UserError(
                f"{shlex.join(command)} was refused: {done.stderr.strip()}. Mend --sbatch and run again."
            )
        self.id, self._state = done.stdout.strip().split(";")[0], "PENDING"
        log.info("the server is job %s, its output in %s", self.id, self.log)

    def state(self) -> str:
        """The job's state, such as RUNNING or PENDING, and empty once SLURM does not list it any more.

        Where SLURM gives no answer, it is the last one known.
        """
        done = subprocess.run(["squeue", "-h", "-j", self.id, "-o", "%T"], capture_output=True, text=True)
        if done.returncode == 0 or "Invalid job id" in done.stderr:
            self._state = done.stdout.strip()
        return self._state

    def runs(self) -> bool:
        return self.state() in ("RUNNING", "SUSPENDED")

    def url(self, ready_within: float) -> str:
        """The address, once it answers.

        Raises UserError if the job ends, or does not answer `ready_within` seconds after its start.
        """
        started: float | None = None
        while True:
            if self.state() in ("PENDING", "CONFIGURING"):
                started = None  # also for a job that SLURM puts into the queue again
                time.sleep(LOOK)
                continue
            started, alive = started or time.monotonic(), self.runs()
            if not alive or time.monotonic() - started > ready_within:
                what = "has ended" if not alive else f"does not answer after {ready_within:.0f} seconds"
                raise UserError(
                    f"The server (job {self.id}) {what}. The end of its output:\n{self._tail()}\n"
                    "Mend --serve or --sbatch, or give it longer with --ready-within, and run again."
                )
            url = self.address.read_text(encoding="utf-8").strip() if self.address.is_file() else ""
            if url and _answers(url):
                waited = time.monotonic() - started
                log.info("the server answers at %s, %.0f seconds after its start", url, waited)
                return url
            time.sleep(LOOK)

    def end(self) -> None:
        """Cancel the job by its name: it may have been submitted although nobody heard of its id."""
        subprocess.run(["scancel", f"--name={self.name}"], capture_output=True)

    def _tail(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.is_file() else ""
        return plain_text("\n".join(text.splitlines()[-20:])) or "(none)"


def _answers(url: str) -> bool:
    """Whether a server there is ready, by /health, or by its list of models where it has no /health."""
    status = _status(f"{url.removesuffix('/v1')}/health")
    # Some servers want a key for the list.
    return status == 200 or (status == 404 and _status(f"{url}/models") in (200, 401, 403))


def _status(url: str) -> int | None:
    """The HTTP status that a server answers with, None if nobody answers."""
    try:
        with DIRECT.open(url, timeout=LOOK) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, HTTPException):
        return None


def run(command: Sequence[str], job: Job, url: str) -> int | None:
    """Run `command` with `url` filled in, and return its exit code.

    It is None if the command was ended because the server's job was over.
    """
    # The command has a session of its own: Ctrl-C comes to us, and from us to it, once.
    process = subprocess.Popen([word.replace("{url}", url) for word in command], start_new_session=True)
    try:
        while True:
            try:
                code = process.wait(LOOK)
                return None if code and not job.runs() else code
            except subprocess.TimeoutExpired:
                if not job.runs():
                    return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # Snakemake then cancels its jobs
            try:
                process.wait(CALM)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    """The exit code: the command's, or 1 if no server lasted."""
    parser = argparse.ArgumentParser(
        prog="selfincorrect with-server",
        description="Run a command against a model server that is a SLURM job.",
        epilog="See docs/cluster.md.",
    )
    add = parser.add_argument
    add("--serve", required=True, help="the server's command, with {port}")
    add("--sbatch", default="", help="options of its job: GPUs, time, partition")
    add("--host", default="$(hostname)", help="the server's name for those who call; default: its node's")
    add("--ready-within", type=float, default=1800, help="seconds from the job's start to an answer")
    add("--servers", type=int, default=4, help="servers at most, one after the other")
    add("--folder", type=Path, default=None, help="folder that nodes see, for address and output")
    add("command", nargs="+", help="after --: what to run, with {url}")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s [server] %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    if shutil.which(options.command[0]) is None:
        parser.error(f"there is no {options.command[0]} to run")
    for ending in (signal.SIGTERM, signal.SIGHUP):  # through `finally`: the server is ended
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    folder = options.folder or Path(tempfile.mkdtemp(prefix=".server-", dir=Path.cwd()))
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, options.servers + 1):
        job = Job(folder.resolve())
        try:
            try:
                job.submit(options.serve, shlex.split(options.sbatch), options.host)
                code = run(options.command, job, job.url(options.ready_within))
            finally:
                job.end()
        except UserError as error:
            log.error("%s", error)
            return 1
        except KeyboardInterrupt:
            return 130
        if code is not None:
            return code
        over = "the server's job is over before the command is (server %d of %d)"
        log.warning(over, number, options.servers)
    log.error("No server lasted. Give its job more time, or run again: answers that came are kept.")
    return 1
