"""What other packages add: engines, selectors and tasks, by their entry points."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any

from selfincorrect.errors import UserError


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda each: each.name)}


def plugins(group: str) -> tuple[str, ...]:
    """Names of what installed packages have under the entry points of `group`, sorted."""
    return tuple(_found(group))


def plugin(group: str, name: str) -> Any:
    """The object of an entry point. Raises LookupError for a name that no package has, UserError if it
    cannot be imported.
    """
    point = _found(group).get(name)
    if point is None:
        raise LookupError(f"no {name} under the entry points {group}")
    try:
        return resolve_name(point.value)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{name} of the entry points {group} cannot be loaded from {point.value}: {error}. Mend or "
            f"remove the package {origin(group, name)}."
        ) from error


def origin(group: str, name: str) -> str | None:
    """Distribution and version of a plugin, what digests know it by; None for what is of this package."""
    point = _found(group).get(name)
    return f"{point.dist.name} {point.dist.version}" if point and point.dist else None
