"""Files: written whole or not at all, and tables that carry what they were made from."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl


@contextmanager
def atomic(path: Path | str, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; moved to `path` on success, removed on any failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    with atomic(path, "w") as file:
        file.write(text)


def write_json(path: Path | str, value: Any, sort: bool = True) -> None:
    """Write `value` as JSON, its keys sorted unless their order means something."""
    write_text(path, json.dumps(value, indent=2, sort_keys=sort, ensure_ascii=False) + "\n")


def read_json(path: Path | str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(path: Path | str, table: pl.DataFrame, provenance: Mapping[str, Any] | None = None) -> None:
    """Write `table` as parquet; `provenance` goes into the file's key-value metadata as JSON."""
    metadata = {name: json.dumps(value, sort_keys=True) for name, value in (provenance or {}).items()}
    with atomic(path) as file:
        table.write_parquet(file, metadata=metadata)


def write_csv(path: Path | str, table: pl.DataFrame) -> None:
    """Write `table` as CSV. Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stand."""
    risky = pl.col(pl.String).str.contains(r"^[=+\-@\t\r]") & ~pl.col(pl.String).str.contains(r"^[+-]?[\d.,]+$")
    guarded = table.with_columns(pl.when(risky).then("'" + pl.col(pl.String)).otherwise(pl.col(pl.String)).name.keep())
    with atomic(path) as file:
        guarded.write_csv(file)


def read_provenance(path: Path | str) -> dict[str, Any]:
    """The key-value metadata that `write_table` put into a parquet file."""
    metadata = pl.read_parquet_metadata(path)
    return {name: json.loads(value) for name, value in metadata.items() if name != "ARROW:schema"}
