"""The response store: every finished answer, kept under the digest of all that shapes it.

A store is a folder of append-only segments, JSON lines. Every process writes a segment of its own, so jobs, runs and
colleagues can share a folder, also on network file systems, without locks; readers take all segments.
"""

import json
import os
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from selfincorrect.digest import canonical_json
from selfincorrect.errors import UserError

FORMAT = 1


def _checksum(key: str, value: Any) -> str:
    return f"{zlib.crc32(canonical_json([FORMAT, key, value]).encode()):08x}"


class ResponseStore:
    """Answers by digest. `get` reads what any process had finished when this object was made."""

    def __init__(self, folder: Path | str) -> None:
        """Read all segments in `folder`. Raises UserError on damage other than a torn last line."""
        self.folder = Path(folder)
        self._answers: dict[str, Any] = {}
        self._segment: IO[bytes] | None = None
        for path in sorted(self.folder.glob("*.jsonl")):
            self._read(path)

    def _read(self, path: Path) -> None:
        # Bytes after the last line feed are a line that a killed process did not finish: dropped.
        lines = path.read_bytes().split(b"\n")[:-1]
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                intact = record["crc"] == _checksum(record["key"], record["value"])
            except (ValueError, KeyError, TypeError):
                intact = False
            if not intact:
                raise UserError(
                    f"The response store is damaged: {path}, line {number} does not match its checksum "
                    f"(or was written by another format than {FORMAT}).\n"
                    f"Every other line can be kept: delete that line (sed -i {number}d '{path}') and run "
                    "again; only that answer is asked for anew."
                )
            self._answers[record["key"]] = record["value"]

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Any:
        """The stored answer. Raises KeyError if there is none."""
        return self._answers[key]

    def add(self, answers: Iterable[tuple[str, Any]]) -> None:
        """Append answers, in one write that has reached the disk when this returns. Raises OSError with its file name."""
        answers = list(answers)
        lines = [
            canonical_json({"key": key, "value": value, "crc": _checksum(key, value)}) + "\n" for key, value in answers
        ]
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._segment = open(self.folder / f"{uuid.uuid4().hex}.jsonl", "ab")  # noqa: SIM115
        try:
            self._segment.write("".join(lines).encode())
            self._segment.flush()
            os.fsync(self._segment.fileno())
        except OSError as error:
            error.filename = self._segment.name
            raise
        self._answers.update(answers)

    def close(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None
