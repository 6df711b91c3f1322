"""The response store: every finished answer, kept under the digest of all that shapes it.

A store is a folder of append-only segments, JSON lines. Every process writes a segment of its own, so jobs,
runs and colleagues can share a folder, also on network file systems, without locks; readers take all
segments. Where several hold an answer to the same, all readers take the same one: the better by `rank`, of
equal ones the first.

`selfincorrect store check FOLDER` names what is damaged or no answer; with `--drop` it is taken out.
"""

import argparse
import errno
import json
import os
import re
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from selfincorrect.digest import canonical_json
from selfincorrect.errors import UserError
from selfincorrect.io import atomic

FORMAT = 1
SEGMENT = re.compile(r"[0-9a-f]{32}\.jsonl")
Place = tuple[int, str]  # time in nanoseconds, segment


def _checksum(key: str, value: Any, at: int) -> str:
    told = [FORMAT, key, value, at] if at else [FORMAT, key, value]
    return f"{zlib.crc32(canonical_json(told).encode()):08x}"


def _record(line: bytes) -> tuple[str, Any, int]:
    """The key, value and time (0 in old stores) of a line. Raises ValueError if it is damaged."""
    try:
        record = json.loads(line)
        key, value, at = record["key"], record["value"], record.get("at", 0)
        intact = isinstance(key, str) and type(at) is int and record["crc"] == _checksum(key, value, at)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise ValueError(f"it does not match its checksum (or was written by another format than {FORMAT})")
    return key, value, at


def _same(value: Any) -> int:
    return 0


def _all(value: Any) -> Any:
    return value


class ResponseStore:
    """Answers by digest.

    `get` reads what any process had finished when this object was made, or last `refresh`ed. `rank` says of a
    value how good it is, 0 the best: a later value replaces a worse one. `said` is what of a value makes it
    another one.
    """

    def __init__(
        self, folder: Path | str, rank: Callable[[Any], int] = _same, said: Callable[[Any], Any] = _all
    ) -> None:
        """Read all segments in `folder`. Raises UserError on damage other than a torn last line."""
        self.folder = Path(folder)
        self._rank, self._said = rank, said
        self._answers: dict[str, Any] = {}
        self._places: dict[str, Place] = {}
        self._read_to: dict[Path, int] = {}
        self._segment: IO[bytes] | None = None
        self.refresh()

    def refresh(self) -> int:
        """Read what other processes have added.

        Returns how many answers of this process another's takes the place of.
        """
        return sum(self._read(path) for path in _segments(self.folder))

    def _read(self, path: Path) -> int:
        start, replaced = self._read_to.get(path, 0), 0
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
        # Bytes after the last line feed are a line that a killed process did not finish; they are not read.
        whole = data[: data.rfind(b"\n") + 1]
        self._read_to[path] = start + len(whole)
        for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
            try:
                key, value, at = _record(line)
            except ValueError as error:
                before = number if not start else path.read_bytes()[:start].count(b"\n") + number
                raise UserError(
                    f"The response store is damaged: {path}, line {before}: {error}.\n"
                    "Every other line can be kept. "
                    "Take it out, and run again: only that answer is asked for anew.\n"
                    f"    selfincorrect store check '{self.folder}' --drop"
                ) from error
            replaced += self._take(key, value, (at, path.name))
        return replaced

    def _take(self, key: str, value: Any, place: Place) -> bool:
        """Keep a value unless there is a better or earlier one.

        Returns whether it replaces another one of this process.
        """
        other = False
        if known := self._places.get(key):
            before = self._answers[key]
            if (self._rank(before), known) <= (self._rank(value), place):
                return False
            mine = self._segment is not None and known[1] == Path(self._segment.name).name
            other = mine and canonical_json(self._said(before)) != canonical_json(self._said(value))
        self._answers[key], self._places[key] = value, place
        return other

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Any:
        """The stored answer. Raises KeyError if there is none."""
        return self._answers[key]

    def file_of(self, key: str) -> Path:
        """The segment that holds the stored answer."""
        return self.folder / self._places[key][1]

    def add(self, answers: Iterable[tuple[str, Any]]) -> None:
        """Append answers, in one write that has reached the disk when this returns.

        Raises OSError with its file name.
        """
        answers, at = list(answers), time.time_ns()
        lines = [
            canonical_json({"key": key, "value": value, "at": at, "crc": _checksum(key, value, at)}) + "\n"
            for key, value in answers
        ]
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._segment = open(self.folder / f"{uuid.uuid4().hex}.jsonl", "ab")  # noqa: SIM115
        path = Path(self._segment.name)
        try:
            written = self._segment.write("".join(lines).encode())
            self._segment.flush()
            _reach_disk(self._segment)
        except OSError as error:
            error.filename = self._segment.name
            raise
        self._read_to[path] = self._read_to.get(path, 0) + written
        for key, value in answers:
            self._take(key, value, (at, path.name))

    def close(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None


def _segments(folder: Path, pattern: str = "*.jsonl") -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _reach_disk(file: IO[bytes]) -> None:
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot be asked for it
            raise


def check(folder: Path, fits: Callable[[Any], object], drop: bool = False) -> Iterator[str]:
    """Yield what is wrong in the segments of `folder` and below, as "file, line: what".

    If `drop`, take these lines out into a file beside the segment that ends in `.dropped`. `fits` raises
    ValueError for a value that is no answer.
    """
    for path in (each for each in _segments(folder, "**/*.jsonl") if SEGMENT.fullmatch(each.name)):
        kept: list[bytes] = []
        taken: list[bytes] = []
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                fits(_record(line)[1])
                kept.append(line)
            except ValueError as error:
                taken.append(line)
                yield f"{path}, line {number}: {error}"
        if drop and taken:
            with open(path.with_suffix(".dropped"), "ab") as file:
                file.write(b"".join(line + b"\n" for line in taken))
            with atomic(path) as file:
                file.write(b"".join(line + b"\n" for line in kept))


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code is 0 if nothing is wrong, or was taken out, and 1 if something is."""
    from selfincorrect.engines.requests import stored_response
    from selfincorrect.jobs.job import plain_text

    parser = argparse.ArgumentParser(prog="selfincorrect store", description=__doc__)
    parser.add_argument("command", choices=["check"])
    parser.add_argument("folder", type=Path, help="a response store, such as results/store")
    parser.add_argument(
        "--drop", action="store_true", help="take out what is wrong; no run may write to the store meanwhile"
    )
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        print(f"There is no folder {given.folder}.", file=sys.stderr)
        return 1
    found = list(check(given.folder, stored_response, given.drop))
    for each in found:
        print(plain_text(each))
    print(f"{len(found)} records {'taken out' if given.drop else 'wrong'}.")
    return 1 if found and not given.drop else 0
