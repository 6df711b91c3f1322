"""Ending a job early so that it can go on later: when it is told to (SIGTERM), and when its Snakemake is gone.

A cluster sends SIGTERM when a job's time is over, and kills it 30 seconds later. From then on engines begin nothing new; what
is in flight is finished and stored while there is time.
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
EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again

_told = threading.Event()


class ToBeRequeuedError(Exception):
    """The job ends early and nothing is wrong with it."""


def listen() -> None:
    """From now on, SIGTERM makes `requested` true; after GRACE seconds it raises ToBeRequeuedError in the main thread."""
    _told.clear()
    signal.signal(signal.SIGTERM, _on_sigterm)
    signal.signal(signal.SIGALRM, _on_grace_over)


def requested() -> bool:
    """Whether this process was told to end: begin nothing new."""
    return _told.is_set()


def _on_sigterm(*_: object) -> None:
    if not _told.is_set():
        _told.set()
        signal.setitimer(signal.ITIMER_REAL, GRACE)


def _on_grace_over(*_: object) -> None:
    raise ToBeRequeuedError


def end(message: str) -> NoReturn:
    """Leave at once: calls to a server that are still open would hold up an ordinary exit."""
    log.warning("to be requeued: %s", message)
    logging.shutdown()
    os._exit(EXIT_CODE)


def follow_snakemake() -> None:
    """End this process when a Snakemake that started it is gone.

    A Snakemake that is killed leaves its jobs running; the next run would ask for the same answers beside them.
    """
    above = [process for process in psutil.Process().parents() if _is_snakemake(process)]
    if above:
        threading.Thread(target=_watch, args=(above,), name="follow snakemake", daemon=True).start()


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        return "snakemake" in map(os.path.basename, process.cmdline()[:3])
    except psutil.Error:
        return False


def _watch(processes: list[psutil.Process]) -> None:
    while all(map(_alive, processes)):
        time.sleep(WATCH)
    end("the Snakemake that started this job is gone")


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
