"""The edge between a Snakemake job and the package: logging, and errors as one message."""

import errno
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selfincorrect import stopping
from selfincorrect.errors import UserError
from selfincorrect.io import remove_leftovers

log = logging.getLogger("selfincorrect")

CONTROL = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class PlainFormatter(logging.Formatter):
    """Without control characters: what a model or a server says must not move a terminal's cursor or set its title."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(CONTROL)


class LogFile(logging.FileHandler):
    """A job's log file. Where it cannot be written (a full disk), the terminal has the same lines."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Log to the terminal and to the job's log file; end with exit code 1 and one message on a user's error.

    Told to end (SIGTERM), or left alone by Snakemake, a job ends with exit code 75: to be requeued.
    """
    where = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    log.setLevel(logging.INFO)
    log.handlers.clear()
    to_file = LogFile(snakemake.log[0], mode="w", encoding="utf-8")
    for handler in (logging.StreamHandler(sys.stderr), to_file):
        handler.setFormatter(PlainFormatter(f"%(asctime)s [{where}] %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    stopping.listen()
    stopping.follow_snakemake()
    try:
        for path in snakemake.output:
            remove_leftovers(path)
        yield
    except stopping.ToBeRequeuedError:
        stopping.end(
            "told to end (SIGTERM). Answers that came are in the response store; the same command goes on from there"
        )
    except UserError as error:
        log.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            _log_traceback(to_file)
            raise
        log.error("%s", _disk_message(error))
        sys.exit(1)
    except Exception:
        _log_traceback(to_file)
        raise


def _log_traceback(to_file: logging.FileHandler) -> None:
    """Into the log file only, where it can be written: Snakemake's Python prints it to the terminal anyway."""
    with suppress(OSError), open(to_file.baseFilename, "a", encoding="utf-8") as file:
        file.write(traceback.format_exc())


def check_writable(folders: Iterable[Path]) -> None:
    """Raise UserError if one of `folders`, or the first folder above it that exists, cannot be written. Writes nothing."""
    for folder in folders:
        there = _existing(folder)
        if not os.access(there, os.W_OK):
            why = "the file system is read-only" if os.statvfs(there).f_flag & os.ST_RDONLY else "no permission"
            raise UserError(
                f"Cannot write to {there.resolve()} ({why}). Nothing was started. Mend the permissions or mount it writable, or write "
                "elsewhere: snakemake --directory … (results and resources), run.store (the response store)."
            )


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _disk_message(error: OSError) -> str:
    folder = _existing(Path(error.filename).parent if error.filename else Path.cwd())
    free = shutil.disk_usage(folder).free / 2**20
    return (
        f"Cannot write {error.filename or 'to the results'}: {os.strerror(error.errno or 0)}; {free:,.0f} MiB are free in "
        f"{folder}.\nFree space or mend the permissions, or write elsewhere (snakemake --directory …, run.store), then run "
        "the same command again: finished answers are kept in the response store and are not asked for again."
    )
