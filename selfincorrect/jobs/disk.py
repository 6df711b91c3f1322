"""What is said of a disk that cannot be written: before a run, and when it fills up."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from selfincorrect.errors import UserError


def check_writable(folders: Iterable[Path]) -> None:
    """Raise UserError if one of `folders`, or the first folder above it that exists, cannot be written.

    Nothing is written.
    """
    for folder in folders:
        there = _existing(folder)
        if not os.access(there, os.W_OK):
            mounted = os.statvfs(there).f_flag & os.ST_RDONLY
            why = "the file system is read-only" if mounted else "no permission"
            raise UserError(
                f"Cannot write to {there} ({why}). Nothing was started. "
                "Mend the permissions or mount it writable, or write elsewhere: "
                "snakemake --directory … (results and resources), run.store (the response store)."
            )


def message(error: OSError) -> str:
    """What to do about a file that could not be written."""
    folder = _existing(Path(error.filename).parent if error.filename else Path.cwd())
    free = shutil.disk_usage(folder).free / 2**20
    return (
        f"Cannot write {error.filename or 'to the results'}: {os.strerror(error.errno or 0)}; "
        f"{free:,.0f} MiB are free in {folder}.\n"
        "Free space or mend the permissions, or write elsewhere (snakemake --directory …, run.store), "
        "then run the same command again: "
        "finished answers are kept in the response store and are not asked for again."
    )


def _existing(folder: Path) -> Path:
    folder = folder.resolve()  # a link to a folder that is gone counts as that folder
    while not folder.exists():
        folder = folder.parent
    return folder
