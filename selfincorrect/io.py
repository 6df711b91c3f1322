"""Files: written whole or not at all, and tables that carry what they were made from."""

import glob
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import polars as pl

from selfincorrect.columns import Column, meanings
from selfincorrect.errors import UserError

_MEANINGS = "columns"  # key of what columns mean, in a file's metadata


@contextmanager
def atomic(path: Path | str, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; moved to `path` on success, removed on any failure.

    Raises OSError with its file name, also where the system gives none (no space left).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        # "x": never through a link that somebody planted.
        with open(temporary, mode.replace("w", "x"), encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path | str) -> None:
    """Remove what writers of `path` left beside it when they were killed. Only while nobody else writes
    it.
    """
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        left.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    with atomic(path, "w") as file:
        file.write(text)


def write_json(path: Path | str, value: Any, sort: bool = True) -> None:
    """Write `value` as JSON, its keys sorted unless their order means something."""
    write_text(path, json.dumps(value, indent=2, sort_keys=sort, ensure_ascii=False) + "\n")


def read_json(path: Path | str) -> Any:
    """The value in a JSON file. Raises UserError where there is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}). Delete it and run again: it is made anew.") from error


def write_table(
    path: Path | str,
    table: pl.DataFrame,
    provenance: Mapping[str, Any] | None = None,
    columns: Sequence[Column] = (),
) -> None:
    """Write `table` as parquet; `provenance` and what `columns` mean go into the file's key-value metadata
    as JSON.
    """
    told = {**(provenance or {}), **({_MEANINGS: meanings(columns)} if columns else {})}
    metadata = {name: json.dumps(value, sort_keys=True) for name, value in told.items()}
    # Through memory: on a full disk polars raises an error of its own.
    written = BytesIO()
    table.write_parquet(written, metadata=metadata)
    with atomic(path) as file:
        file.write(written.getbuffer())


def read_table(path: Path | str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """A table with the columns of `schema`. Raises UserError if it has others, as an older version may
    have written.
    """
    try:
        table = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise UserError(
            f"{path} cannot be read ({error}). Delete it and run again: it is made anew."
        ) from error
    if table.schema != pl.Schema(schema):
        found, wanted = set(table.schema.items()), set(pl.Schema(schema).items())
        raise UserError(
            f"{path} was written by another version of this program: it lacks {_columns(wanted - found)} and "
            f"has "
            f"{_columns(found - wanted)} instead.\nDelete it and run the same command again: it is made "
            f"anew, and answers that are "
            "in the response store are not asked for again."
        )
    return table


def read_shards(paths: Iterable[Path | str], schema: Mapping[str, Any]) -> pl.DataFrame:
    """The rows of all tables at `paths`, as `read_table` reads them; none where there is no path."""
    return pl.concat([pl.DataFrame(schema=schema), *(read_table(path, schema) for path in paths)])


def _columns(columns: set[tuple[str, Any]]) -> str:
    return ", ".join(sorted(f"{name} ({kind})" for name, kind in columns)) or "nothing"


def write_csv(path: Path | str, table: pl.DataFrame) -> None:
    """Write `table` as CSV. Text that a spreadsheet would take for a formula gets an apostrophe in front;
    numbers stand.
    """
    risky = pl.col(pl.String).str.contains(r"^\s*[=+\-@＝＋－＠\t\r]") & ~pl.col(pl.String).str.contains(
        r"^[+-]?[\d.,]+$"
    )
    guarded = table.with_columns(
        pl.when(risky).then("'" + pl.col(pl.String)).otherwise(pl.col(pl.String)).name.keep()
    )
    write_text(path, guarded.write_csv())


def read_provenance(path: Path | str) -> dict[str, Any]:
    """The provenance that `write_table` put into a parquet file's key-value metadata."""
    metadata = pl.read_parquet_metadata(path)
    return {
        name: json.loads(value) for name, value in metadata.items() if name not in ("ARROW:schema", _MEANINGS)
    }


def read_tables(inputs: Any, *names: str) -> list[pl.DataFrame | None]:
    """The parquet tables of a rule's `inputs` by name, None for one that the rule does not have this time."""
    return [pl.read_parquet(inputs[name]) if inputs.get(name) else None for name in names]
