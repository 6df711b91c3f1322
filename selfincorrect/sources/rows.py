"""Rows of a data file in any of the formats that benchmarks come in."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.errors import UserError
from selfincorrect.io import read_jsonl

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
# Columns that no task reads and that hold most of TriviaQA's bytes.
_BULKY = ("entity_pages", "search_results")


def read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of a parquet, Arrow stream, CSV or JSON-lines file (also gzipped), told apart by content.

    Raises UserError if the file is in none of these formats.
    """
    with open(path, "rb") as file:
        head = file.read(4096)
    try:
        if head.startswith(_PARQUET):
            return _frame(pl.scan_parquet(path))
        if head[:4] == b"\xff\xff\xff\xff":
            return _frame(pl.read_ipc_stream(path).lazy())
        if head.startswith(_GZIP):
            text = gzip.decompress(path.read_bytes()).decode()
            return iter([json.loads(line) for line in text.split("\n") if line.strip()])
        if head.lstrip().startswith(b"{"):
            return iter(read_jsonl(path))
        return iter(pl.read_csv(path, infer_schema=False).to_dicts())
    except (ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read as parquet, Arrow stream, JSON lines or CSV: {error}") from error


def _frame(frame: pl.LazyFrame) -> Iterator[Mapping[str, Any]]:
    return frame.drop(_BULKY, strict=False).collect().iter_rows(named=True)
