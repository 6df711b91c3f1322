"""Columns of tables: the name, type and meaning of each, in one list a table, from which schemas and pages
are made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WAY = ("variant", "discriminator")  # columns that name one way of choosing among the same candidates


@dataclass(frozen=True)
class Column:
    """A column: its name, its type in polars, what it means, and the unit of its numbers ("" where there is
    none).

    `empty` is its value in a row about no item at all. `shown` has its heading by the place that shows it
    to readers.
    """

    name: str
    kind: Any
    meaning: str
    unit: str = ""
    empty: Any = None
    shown: Mapping[str, str] = field(default_factory=dict)


def schema_of(columns: Iterable[Column]) -> dict[str, Any]:
    """The schema of a table with these columns, in their order."""
    return {column.name: column.kind for column in columns}


def meanings(columns: Iterable[Column]) -> dict[str, str]:
    """What each column means, by its name."""
    return {column.name: column.meaning for column in columns}


def markdown(columns: Iterable[Column]) -> str:
    """A table for readers with a row a column: its name, its unit or type, and its meaning."""
    rows = ["| column | holds | meaning |", "| --- | --- | --- |"]
    for column in columns:
        kind = "list" if column.kind.is_nested() else _KINDS[str(column.kind)]
        rows.append(
            f"| `{column.name}` | {column.unit or kind} | {column.meaning.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(rows)


_KINDS = {
    "String": "text",
    "Int32": "whole number",
    "Int64": "whole number",
    "Float64": "number",
    "Boolean": "true or false",
}
