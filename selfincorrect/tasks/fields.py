"""What the columns of a row hold: by name, by a path into mappings, or put into a text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_COLUMN = re.compile(r"\{([^{}]+)\}")


def names_in(told: str | Sequence[str] | None) -> list[str]:
    """The columns that a description names: one, several, or those in the braces of a text."""
    named = [told] if isinstance(told, str) else told or []
    return [name for each in named for name in _COLUMN.findall(each) or [each]]


def value(row: Mapping[str, Any], name: str) -> Any:
    """What a row holds in a column, or at the end of a path of names with dots between them.

    Raises ValueError, with the columns there are, where it holds none of that name.
    """
    found: Any = row
    for part in [name] if name in row else name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            there = ", ".join(f"`{each}`" for each in (found if isinstance(found, Mapping) else row))
            raise ValueError(f"no column `{name}`; there are: {there}")
        found = found[part]
    return found


def text(row: Mapping[str, Any], told: str | None) -> str:
    """The text of a column, or a text with columns in braces filled in, lists line by line; "" without a
    column. Raises ValueError for a column that holds no text.
    """
    if told is None:
        return ""
    if _COLUMN.search(told) is None:
        held = value(row, told)
        if isinstance(held, list | tuple | Mapping):
            raise ValueError(f"the column `{told}` holds {str(held)[:80]}, which is no text")
        return _written(held).strip()
    return _COLUMN.sub(lambda match: _written(value(row, match[1])), told).strip()


def texts(row: Mapping[str, Any], told: str | Sequence[str] | None) -> list[str]:
    """What columns hold, or texts with columns filled in, lists one by one; nothing for what is empty."""
    named = [told] if isinstance(told, str) else told or []
    values = [text(row, name) if _COLUMN.search(name) else value(row, name) for name in named]
    flat = [item for each in values for item in (each if isinstance(each, list | tuple) else [each])]
    return [str(item).strip() for item in flat if item is not None and str(item).strip()]


def found(pattern: str, content: str) -> str:
    """What the first group of a regular expression (all of it without one) finds first; "" where nothing."""
    match = re.search(pattern, content)
    return "" if match is None else str(match[match.re.groups and 1] or "")


def _written(content: Any) -> str:
    if isinstance(content, list | tuple):
        return "\n".join(map(str, content))
    return "" if content is None else str(content)
