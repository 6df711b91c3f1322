"""Ending a job early so that it can go on later: when told to (SIGTERM), and when its Snakemake is gone.

A cluster sends SIGTERM when a job's time is over, and kills it 30 seconds later. From the signal on, engines
begin nothing new (continuous batching goes on with its queue); what is in flight is finished and stored while
there is time.
"""

import logging
import os
import signal
import threading
import time
from typing import NoReturn

import psutil

log = logging.getLogger("selfincorrect")

GRACE = 20.0  # seconds for what is in flight, of the 30 that SLURM gives
WATCH = 0.5  # seconds between two looks at Snakemake
SNAKEMAKE = "SELFINCORRECT_SNAKEMAKE"  # environment variable: the Snakemake that starts jobs
EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again

_told = False  # not an Event, whose lock may be held by what the signal interrupts


class ToBeRequeuedError(BaseException):
    """The job ends early and nothing is wrong with it.

    It is no Exception: code that catches any error must not catch this.
    """


def listen() -> None:
    """Let SIGTERM make `requested` true, and interrupt the main thread GRACE seconds later.

    It is interrupted by a ToBeRequeuedError.
    """
    global _told
    _told = False
    signal.signal(signal.SIGTERM, _on_sigterm)
    signal.signal(signal.SIGALRM, _on_grace_over)


def requested() -> bool:
    """Whether this process was told to end and must begin nothing new."""
    return _told


def _on_sigterm(*_: object) -> None:
    global _told
    if not _told:
        _told = True
        signal.setitimer(signal.ITIMER_REAL, GRACE)


def _on_grace_over(*_: object) -> None:
    raise ToBeRequeuedError


def end(message: str) -> NoReturn:
    """End the process at once: calls to a server that are still open would hold up an ordinary exit."""
    log.warning("to be requeued: %s", message)
    logging.shutdown()
    os._exit(EXIT_CODE)


def identity() -> str:
    """This process, for its jobs to follow: its id, and the space in which that counts.

    A container has a space of its own.
    """
    return f"{os.getpid()} {_space()}"


def follow_snakemake() -> None:
    """End this process when the Snakemake that started it is gone.

    Its `identity` is in the environment. A Snakemake that is killed leaves its jobs running; the next run
    would ask for the same answers beside them.
    """
    process, _, space = os.environ.get(SNAKEMAKE, "").partition(" ")
    if process and space == _space():
        threading.Thread(target=_watch, args=(int(process),), name="follow snakemake", daemon=True).start()


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "unknown"


def _watch(process: int) -> None:
    try:
        snakemake = psutil.Process(process)
        while snakemake.is_running() and snakemake.status() != psutil.STATUS_ZOMBIE:
            time.sleep(WATCH)
    except psutil.NoSuchProcess:
        pass
    end("the Snakemake that started this job is gone")
