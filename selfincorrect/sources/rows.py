"""Rows of a data file in any of the formats that benchmarks come in."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.errors import UserError

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
# Columns that no task reads and that hold most of TriviaQA's bytes.
_BULKY = ("entity_pages", "search_results")


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of a parquet, Arrow stream, CSV, JSON-lines or JSON file (text also gzipped), told apart by content.

    Raises UserError if the file is in none of these formats.
    """
    with open(path, "rb") as file:
        head = file.read(4096)
    try:
        if head.startswith(_PARQUET):
            return _frame(pl.scan_parquet(path))
        if head[:4] == b"\xff\xff\xff\xff":
            return _frame(pl.read_ipc_stream(path).lazy())
        data = gzip.decompress(path.read_bytes()) if head.startswith(_GZIP) else path.read_bytes()
        text = data.decode("utf-8-sig")  # with or without a byte order mark
        if text.lstrip().startswith("["):
            return iter(_mappings(json.loads(text)))
        if text.lstrip().startswith("{"):
            # Split on line feeds only: U+2028 may stand inside a string.
            return iter(_mappings([json.loads(line) for line in text.split("\n") if line.strip()]))
        return iter(pl.read_csv(text.encode(), infer_schema=False).to_dicts())
    except (ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read as parquet, Arrow stream, JSON lines or CSV: {error}") from error


def _mappings(rows: Any) -> list[Mapping[str, Any]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise ValueError(f"row {number} is {str(row)[:40]!r}, not a mapping of columns")
    return list(rows)


def _frame(frame: pl.LazyFrame) -> Iterator[Mapping[str, Any]]:
    return frame.drop(_BULKY, strict=False).collect().iter_rows(named=True)
