"""Engines by name: those of this folder, and those of other packages."""

from functools import cache
from importlib import import_module
from typing import cast

from selfincorrect.engines.kind import EngineKind
from selfincorrect.plugins import plugin, plugins

GROUP = "selfincorrect.engines"
BUILT_IN = {
    "transformers": "engines.transformers.kind",
    "openai": "engines.openai.kind",
    "scripted": "engines.scripted",
}
"""The module of each engine, below the package."""


def names() -> tuple[str, ...]:
    return (*BUILT_IN, *plugins(GROUP))


@cache
def engine_kind(name: str) -> EngineKind:
    """The engine called `name`. Raises LookupError if there is none."""
    if name in BUILT_IN:
        return cast(EngineKind, import_module(f"selfincorrect.{BUILT_IN[name]}").ENGINE)
    return cast(EngineKind, plugin(GROUP, name))
