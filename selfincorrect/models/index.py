"""Where each answer of a large response store lies: a file beside its segments, so that opening reads none.

It is made of the segments alone, and can be deleted at any time. It says how far each segment was read; what
came later is not in it. Keys are sorted by a digest, a block of them is read where one is looked for.
"""

import json
import os
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfincorrect.digest import canonical_json
from selfincorrect.io import atomic

NAME = "index.bin"
FORMAT = 1
BLOCK = 256  # entries that are read together
ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("segment", "<u4"), ("offset", "<u8")])
Entries = NDArray[np.void]  # of ENTRY
TAIL = 4096  # bytes at the end of what was read of a segment, by which it is known again


class Place(NamedTuple):
    """Where a line lies: the name of its segment, and its first byte."""

    segment: str
    offset: int


def _digest(key: str) -> bytes:
    """What a key is found by: 128 bits, `high` and `low`."""
    return blake2b(key.encode(), digest_size=16).digest()


class Found:
    """Places of keys that were read, about as compact as in the file."""

    def __init__(self) -> None:
        self._digests, self._offsets = bytearray(), array("Q")
        self._segments: dict[str, int] = {}  # with how many entries each has, in their order

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, key: str, place: Place) -> None:
        """Note a place; those of a segment come one after the other."""
        self._digests += _digest(key)
        self._offsets.append(place.offset)
        self._segments[place.segment] = self._segments.get(place.segment, 0) + 1

    def entries(self, names: Mapping[str, int]) -> Entries:
        """All of them, with the numbers that segments have in `names`."""
        entries = np.empty(len(self), dtype=ENTRY)
        entries["high"], entries["low"] = np.frombuffer(self._digests, ">u8").reshape(-1, 2).T
        entries["offset"] = np.frombuffer(self._offsets, "<u8")
        numbers = np.array([names[name] for name in self._segments], dtype=np.uint32)
        entries["segment"] = np.repeat(numbers, list(self._segments.values()))
        return entries


class Index:
    """The index of a folder as it lies there. `covered` is how many bytes of each segment it knows."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError where there is none that fits the segments, OSError where it cannot be read."""
        self._path = folder / NAME
        with open(self._path, "rb") as file:
            line = file.readline()
        told, start = json.loads(line), len(line)
        if told.get("format") != FORMAT:
            raise ValueError(f"{self._path} is of another format")
        self._start, self._count = start, int(told["count"])
        self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115
        samples = -(-self._count // BLOCK)
        if os.fstat(self._file.fileno()).st_size != start + self._count * ENTRY.itemsize + 8 * samples:
            raise ValueError(f"{self._path} is not whole")
        self._sample = np.frombuffer(self._read(self._count * ENTRY.itemsize, 8 * samples), "<u8")
        self._names = [name for name, *_ in told["segments"]]
        self.covered = {name: size for name, size, _ in told["segments"]}
        for name, size, tail in told["segments"]:
            if tail_of(folder / name, size) != tail:
                raise ValueError(f"{folder / name} is another one")

    def __len__(self) -> int:
        return self._count

    def find(self, key: str) -> Place | None:
        """The place of a key; None if it is not there."""
        high, low = (int(each) for each in np.frombuffer(_digest(key), ">u8"))
        first = max(int(np.searchsorted(self._sample, np.uint64(high), "left")) - 1, 0)
        last = int(np.searchsorted(self._sample, np.uint64(high), "right"))
        block = self._entries(first * BLOCK, min(last * BLOCK, self._count))
        at = int(np.searchsorted(block["high"], np.uint64(high), "left"))
        while at < len(block) and block["high"][at] == high:
            if block["low"][at] == low:
                return Place(self._names[block["segment"][at]], int(block["offset"][at]))
            at += 1
        return None

    def entries(self, names: Mapping[str, int]) -> Entries:
        """All entries, with the numbers that segments have in `names`."""
        entries = self._entries(0, self._count).copy()
        numbers = np.array([names[name] for name in self._names], dtype=np.uint32)
        entries["segment"] = numbers[entries["segment"]]
        return entries

    def _entries(self, first: int, last: int) -> Entries:
        size = ENTRY.itemsize
        return np.frombuffer(self._read(first * size, (last - first) * size), ENTRY)

    def _read(self, offset: int, size: int) -> bytes:
        found = os.pread(self._file.fileno(), size, self._start + offset)
        while len(found) < size:  # a call reads at most 2 GiB
            more = os.pread(self._file.fileno(), size - len(found), self._start + offset + len(found))
            if not more:
                raise OSError(f"{self._path} ends early")
            found += more
        return found

    def close(self) -> None:
        self._file.close()


def write_index(
    folder: Path,
    found: Found,
    before: Index | None,
    covered: Mapping[str, int],
    better: Callable[[Place, Place], Place],
) -> None:
    """Write the index of what was `found`, and of what the one `before` has; segments are `covered` so far.

    Of two places of one key the `better` one is kept.
    """
    names = {name: number for number, name in enumerate(covered)}
    listed = list(names)
    parts = [found.entries(names)] + ([before.entries(names)] if before else [])
    entries = np.concatenate(parts)
    del parts
    entries = entries[np.lexsort((entries["low"], entries["high"]))]
    kept = np.ones(len(entries), dtype=bool)
    same = (entries["high"][1:] == entries["high"][:-1]) & (entries["low"][1:] == entries["low"][:-1])
    for place in np.flatnonzero(same):
        one, other = (
            Place(listed[entries["segment"][i]], int(entries["offset"][i])) for i in (place, place + 1)
        )
        if better(one, other) == one:
            entries[place + 1] = entries[place]
        kept[place] = False
    entries = entries[kept]
    segments = [[name, size, tail_of(folder / name, size)] for name, size in covered.items()]
    told = {"format": FORMAT, "count": len(entries), "segments": segments}
    with atomic(folder / NAME) as file:
        file.write(canonical_json(told).encode() + b"\n")
        file.write(entries.view(np.uint8).data)
        file.write(np.ascontiguousarray(entries["high"][::BLOCK]).tobytes())


def tail_of(path: Path, size: int) -> str:
    """The checksum of the last bytes of the first `size` ones of a file."""
    with open(path, "rb") as file:
        file.seek(max(size - TAIL, 0))
        return f"{zlib.crc32(file.read(min(TAIL, size))):08x}"


def open_index(folder: Path) -> Index | None:
    """The index of a folder; None where there is none that fits."""
    try:
        return Index(folder)
    except (ValueError, KeyError, TypeError, OSError):
        return None


def drop_index(folders: Iterable[Path]) -> None:
    """Delete the index of folders whose segments are changed."""
    for folder in folders:
        (folder / NAME).unlink(missing_ok=True)
