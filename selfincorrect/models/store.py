"""The response store: every finished answer, kept under the digest of all that shapes it.

A store is a folder of append-only segments, JSON lines. Every process writes a segment of its own, so jobs,
runs and colleagues can share a folder, also on network file systems, without locks; readers take all
segments, and read where each answer lies from an index (`models.index`) as far as there is one. Where several
hold an answer to the same, all readers take the same one: the better by `rank`, of equal ones the first.

`selfincorrect store check FOLDER` names what is damaged or no answer; with `--drop` it is taken out.
"""

import argparse
import errno
import os
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from selfincorrect.digest import canonical_json
from selfincorrect.errors import UserError
from selfincorrect.io import atomic
from selfincorrect.models.index import Found, Index, Place, drop_index, open_index, write_index
from selfincorrect.models.lines import checksum, key_of, record_of

SEGMENT = re.compile(r"[0-9a-f]{32}\.jsonl")
PART = 2**24  # bytes of a segment that are read at a time
LINE = 2**13  # bytes in which most lines end
INDEXED = 50_000  # answers that are worth an index
OPEN = 32  # segments that are kept open
Time = tuple[int, str]  # nanoseconds, segment


def _same(value: Any) -> int:
    return 0


def _all(value: Any) -> Any:
    return value


class ResponseStore:
    """Answers by digest, which stay on disk; in memory is where they lie, of a large store in an index there.

    `get` reads what any process had finished when this object was made, or last `refresh`ed. `rank` says of a
    value how good it is, 0 the best: a later value replaces a worse one. `said` is what of a value makes it
    another one.
    """

    def __init__(
        self, folder: Path | str, rank: Callable[[Any], int] = _same, said: Callable[[Any], Any] = _all
    ) -> None:
        """Find what all segments in `folder` hold. Raises UserError on damage other than a torn last line."""
        self.folder = Path(folder)
        self._rank, self._said = rank, said
        self._places: dict[str, Place] = {}  # beside the index
        self._files: dict[str, IO[bytes]] = {}
        self._segment: IO[bytes] | None = None
        self._index = open_index(self.folder)
        self._read_to: dict[str, int] = dict(self._index.covered) if self._index else {}
        self._new = 0  # answers beside the index whose keys it lacks
        self._open()

    def _open(self) -> None:
        found = Found()
        for path in _segments(self.folder):
            for key, place in self._lines(path):
                found.add(key, place)
                if len(found) < INDEXED:
                    self._take(key, place)
        if len(found) >= INDEXED:
            self._places, self._new = {}, 0
            write_index(self.folder, found, self._index, self._read_to, self._better)
            self._index = Index(self.folder)

    def refresh(self) -> int:
        """Read what other processes have added.

        Returns how many answers of this process another's takes the place of.
        """
        lines = (line for path in _segments(self.folder) for line in self._lines(path))
        return sum(self._take(*line) for line in lines)

    def _lines(self, path: Path) -> Iterator[tuple[str, Place]]:
        """The keys of the lines of a segment that were not read yet, and where they are."""
        name, left = path.name, b""
        offset = self._read_to.get(name, 0)
        with open(path, "rb") as file:
            file.seek(offset)
            while data := file.read(PART):
                *lines, left = (left + data).split(b"\n")
                for line in lines:
                    try:
                        key = key_of(line)
                    except ValueError as error:
                        raise self._damaged(path, offset, error) from error
                    yield key, Place(name, offset)
                    offset += len(line) + 1
                self._read_to[name] = offset
        # Bytes after the last line feed are a line that a killed process did not finish; they are not read.

    def _damaged(self, path: Path, offset: int, error: ValueError) -> UserError:
        with open(path, "rb") as file:
            number = file.read(offset).count(b"\n") + 1
        return UserError(
            f"The response store is damaged: {path}, line {number}: {error}.\n"
            "Every other line can be kept. "
            "Take it out, and run again: only that answer is asked for anew.\n"
            f"    selfincorrect store check '{self.folder}' --drop"
        )

    def _at(self, place: Place) -> tuple[str, Any, int]:
        """The key, value and time of the line at a place. Raises UserError if it is damaged."""
        file = self._files.get(place.segment)
        if file is None:
            if len(self._files) >= OPEN:
                self._files.pop(next(iter(self._files))).close()
            file = self._files[place.segment] = open(self.folder / place.segment, "rb")  # noqa: SIM115
        size = LINE
        while b"\n" not in (line := os.pread(file.fileno(), size, place.offset)) and len(line) == size:
            size *= 8
        try:
            return record_of(line.partition(b"\n")[0])
        except ValueError as error:
            raise self._damaged(self.folder / place.segment, place.offset, error) from error

    def _better(self, one: Place, other: Place) -> Place:
        """Which of two places of a key counts: the better value, of equal ones the first."""

        def order(place: Place) -> tuple[int, Time]:
            _, value, at = self._at(place)
            return self._rank(value), (at, place.segment)

        return min(one, other, key=order)

    def _place(self, key: str) -> Place | None:
        if key in self._places or self._index is None:
            return self._places.get(key)
        try:
            found = self._index.find(key)
        except OSError:  # another process has written a newer one, and its file system forgets the old one
            self._index = Index(self.folder)
            found = self._index.find(key)
        if found:
            self._places[key] = found
        return found

    def _take(self, key: str, place: Place) -> bool:
        """Note a place unless another one of the key counts.

        Returns whether it replaces another answer of this process.
        """
        known, other = self._place(key), False
        if known:
            if self._better(known, place) == known:
                return False
            mine = self._segment is not None and known.segment == Path(self._segment.name).name
            before, after = (canonical_json(self._said(self._at(each)[1])) for each in (known, place))
            other = mine and before != after
        else:
            self._new += 1
        self._places[key] = place
        return other

    def __contains__(self, key: str) -> bool:
        return self._place(key) is not None

    def __len__(self) -> int:
        return self._new + (len(self._index) if self._index else 0)

    def get(self, key: str) -> Any:
        """The stored answer. Raises KeyError if there is none, UserError if it is damaged."""
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        return self._at(place)[1]

    def file_of(self, key: str) -> Path:
        """The segment that holds the stored answer."""
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        return self.folder / place.segment

    def add(self, answers: Iterable[tuple[str, Any]]) -> None:
        """Append answers, in one write that has reached the disk when this returns.

        Raises OSError with its file name.
        """
        answers, at = list(answers), time.time_ns()
        lines = [
            (
                canonical_json({"key": key, "value": value, "at": at, "crc": checksum(key, value, at)}) + "\n"
            ).encode()
            for key, value in answers
        ]
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._segment = open(self.folder / f"{uuid.uuid4().hex}.jsonl", "ab")  # noqa: SIM115
        name = Path(self._segment.name).name
        try:
            self._segment.write(b"".join(lines))
            self._segment.flush()
            _reach_disk(self._segment)
        except OSError as error:
            error.filename = self._segment.name
            raise
        offset = self._read_to.get(name, 0)
        for (key, _), line in zip(answers, lines, strict=True):
            self._take(key, Place(name, offset))
            offset += len(line)
        self._read_to[name] = offset

    def close(self) -> None:
        for file in (*self._files.values(), self._segment):
            if file is not None:
                file.close()
        self._files, self._segment = {}, None


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
                fits(record_of(line)[1])
                kept.append(line)
            except ValueError as error:
                taken.append(line)
                yield f"{path}, line {number}: {error}"
        if drop and taken:
            with open(path.with_suffix(".dropped"), "ab") as file:
                file.write(b"".join(line + b"\n" for line in taken))
            drop_index([path.parent])
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
