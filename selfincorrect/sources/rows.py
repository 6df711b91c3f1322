"""The rows of a data file in any of the formats that benchmarks come in.

Files are taken to be hostile: cut off, damaged, packed a thousandfold.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.errors import UserError

_PARQUET, _GZIP, _ARROW_STREAM, _ARROW_FILE = b"PAR1", b"\x1f\x8b", b"\xff\xff\xff\xff", b"ARROW1"
# Columns that no task reads and that hold most of TriviaQA's bytes.
_BULKY = ("entity_pages", "search_results")
LARGEST = 2**31  # bytes of text, unpacked

# polars ends its process on some damaged files: another process reads them, and what it writes is whole.
_COPY = """
import sys, polars as pl
path, kind, copy, *bulky = sys.argv[1:]
stream = lambda path: pl.read_ipc_stream(path).lazy()
readers = {"parquet": pl.scan_parquet, "file": pl.scan_ipc, "stream": stream}
readers[kind](path).drop(bulky, strict=False).collect().write_parquet(copy)
"""


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a parquet, Arrow, CSV, JSON-lines or JSON file (text also gzipped), told apart by content.

    Text is valid Unicode: half a pair of surrogates becomes the replacement character. Raises UserError, with
    the line where there is one, if the file is in none of these formats, or damaged.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
        kinds = {_PARQUET: "parquet", _ARROW_STREAM: "stream", _ARROW_FILE: "file"}
        kind = next((name for magic, name in kinds.items() if head.startswith(magic)), None)
        if kind:
            return _columnar(path, kind)
        # With or without a byte order mark.
        text = _unpacked(path, head.startswith(_GZIP)).decode("utf-8-sig")
        if text.lstrip().startswith("["):
            return iter(_mappings(_json(text)))
        if text.lstrip().startswith("{"):
            # Lines end with line feeds only: U+2028 may stand inside a string.
            return iter(_mappings(list(_lines(text))))
        return iter(pl.read_csv(text.encode(), infer_schema=False).to_dicts())
    except (ValueError, OSError, EOFError, zlib.error, RecursionError, pl.exceptions.PolarsError) as error:
        said = str(error)[:500]
        raise UserError(
            f"{path} cannot be read as parquet, Arrow, JSON lines or CSV: {said}\n"
            "A file that was cut off or damaged on its way is the usual cause: get it again."
        ) from error


def _unpacked(path: Path, packed: bool) -> bytes:
    if not packed:
        return path.read_bytes()
    with gzip.open(path) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it unpacks to more than {LARGEST // 2**30} GiB")
    return data


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _json(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error


def _json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deep or says a key twice."""
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    # Only an escape makes half a pair of surrogates.
    return _whole(value) if "\\u" in text else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it says {next(name for name in names if names.count(name) > 1)[:80]!r} twice")
    return found


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return value


def _mappings(rows: Any) -> list[Mapping[str, Any]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise ValueError(f"row {number} is {str(row)[:40]!r}, not a mapping of columns")
    return list(rows)


def _columnar(path: Path, kind: str) -> Iterator[Mapping[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="selfincorrect-") as folder:
        copy = Path(folder, "copy.parquet")
        command = [sys.executable, "-c", _COPY, str(path), kind, str(copy), *_BULKY]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode or not copy.exists():
            last = (done.stderr.strip().splitlines() or [f"it ends the reader ({done.returncode})"])[-1]
            raise ValueError(last)
        return pl.read_parquet(copy).iter_rows(named=True)
