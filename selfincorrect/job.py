"""The edge between a Snakemake job and the package: logging, and errors as one message."""

import errno
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selfincorrect.errors import UserError

log = logging.getLogger("selfincorrect")

CONTROL = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class PlainFormatter(logging.Formatter):
    """Without control characters: what a model or a server says must not move a terminal's cursor or set its title."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(CONTROL)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Log to the terminal and to the job's log file; end with exit code 1 and one message on a user's error."""
    where = " ".join(map(str, snakemake.wildcards))
    log.setLevel(logging.INFO)
    log.handlers.clear()
    to_file = logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8")
    for handler in (logging.StreamHandler(sys.stderr), to_file):
        handler.setFormatter(PlainFormatter(f"%(asctime)s [{snakemake.rule} {where}] %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    try:
        yield
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
    """Into the log file only: Snakemake's Python prints it to the terminal anyway."""
    with open(to_file.baseFilename, "a", encoding="utf-8") as file:
        file.write(traceback.format_exc())


def _disk_message(error: OSError) -> str:
    folder = Path(error.filename).parent if error.filename else Path.cwd()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**20
    return (
        f"Cannot write {error.filename or 'to the results'}: {os.strerror(error.errno or 0)}; {free:,.0f} MiB are free in "
        f"{folder}.\nFree space or mend the permissions, or write elsewhere (snakemake --directory …, run.store), then run "
        "the same command again: finished answers are kept in the response store and are not asked for again."
    )
