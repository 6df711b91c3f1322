"""A line of the response store: an answer under its key, with a checksum of both."""

import json
import re
import zlib
from typing import Any

from selfincorrect.digest import canonical_json

FORMAT = 1
# A line as it is written, in parts: what its checksum is about can be put together without reading the JSON.
_LINE = re.compile(rb'\{"at":([1-9]\d*),"crc":"([0-9a-f]{8})","key":"([^"\\]*)","value":(.*)\}')


def checksum(key: str, value: Any, at: int) -> str:
    told = [FORMAT, key, value, at] if at else [FORMAT, key, value]
    return f"{zlib.crc32(canonical_json(told).encode()):08x}"


def _parts(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The key, and value and time as JSON, of a line whose bytes match the checksum as they are."""
    if match := _LINE.fullmatch(line):
        at, crc, key, value = match.groups()
        if zlib.crc32(b'[%d,"%b",%b,%b]' % (FORMAT, key, value, at)) == int(crc, 16):
            return key, value, at
    return None


def record_of(line: bytes) -> tuple[str, Any, int]:
    """The key, value and time (0 in old stores) of a line. Raises ValueError if it is damaged."""
    try:
        if parts := _parts(line):
            return parts[0].decode(), json.loads(parts[1]), int(parts[2])
        record = json.loads(line)
        key, value, at = record["key"], record["value"], record.get("at", 0)
        intact = isinstance(key, str) and type(at) is int and record["crc"] == checksum(key, value, at)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise ValueError(f"it does not match its checksum (or was written by another format than {FORMAT})")
    return key, value, at


def key_of(line: bytes) -> str:
    """The key of a line, whose value is not read. Raises ValueError if it is damaged."""
    parts = _parts(line)
    return parts[0].decode() if parts else record_of(line)[0]
