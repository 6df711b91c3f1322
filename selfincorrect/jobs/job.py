"""The edge between a Snakemake job and the package: logging, and errors as one message."""

import errno
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from selfincorrect.errors import UserError
from selfincorrect.io import remove_leftovers
from selfincorrect.jobs import disk, stopping

log = logging.getLogger("selfincorrect")

# In the environment of jobs that write to their log files alone, since what runs them tells of them.
QUIET = "SELFINCORRECT_QUIET"

# Control characters, marks that turn the direction of text, and what some terminals take for a line's end.
_MARKS = (*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0x061C, 0xFEFF)
CONTROL = {code: "\ufffd" for code in (*range(32), *range(127, 160), *_MARKS) if chr(code) not in "\n\t"}


def plain_text(text: str) -> str:
    """`text` without CONTROL, which may move a terminal's cursor, set its title or turn its lines."""
    return text.translate(CONTROL)


class PlainFormatter(logging.Formatter):
    """A formatter that leaves out control characters, and marks warnings and errors as such.

    What a model or a server says must not move a terminal's cursor or set its title.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.mark = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return plain_text(super().format(record))


class LogFile(logging.FileHandler):
    """A job's log file; where it cannot be written (a full disk), the terminal has the same lines."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Log to the terminal and to the job's log file; end with exit code 1 and one message on a user's error.

    A job that is told to end (SIGTERM), or left alone by Snakemake, ends with exit code 75: it is to be
    requeued.
    """
    where = " ".join([snakemake.rule, *map(str, snakemake.wildcards)])
    log.setLevel(logging.INFO)
    log.handlers.clear()
    try:
        to_file = LogFile(snakemake.log[0], mode="w", encoding="utf-8")
    except OSError as error:
        sys.exit(disk.message(error))
    shown: list[logging.Handler] = [] if QUIET in os.environ else [logging.StreamHandler(sys.stderr)]
    for handler in (*shown, to_file):
        handler.setFormatter(PlainFormatter(f"%(asctime)s [{where}] %(mark)s%(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    stopping.listen()
    stopping.follow_snakemake()
    try:
        for path in snakemake.output:
            remove_leftovers(path)
        yield
    except stopping.ToBeRequeuedError:
        stopping.end(
            "told to end (SIGTERM). Answers that came are in the response store; "
            "the same command goes on from there"
        )
    except UserError as error:
        log.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            _log_traceback(to_file)
            raise
        log.error("%s", disk.message(error))
        sys.exit(1)
    except Exception:
        _log_traceback(to_file)
        raise


def _log_traceback(to_file: logging.FileHandler) -> None:
    """Write the traceback into the log file, if that can be; Snakemake's Python prints it anyway."""
    with suppress(OSError), open(to_file.baseFilename, "a", encoding="utf-8") as file:
        file.write(traceback.format_exc())
