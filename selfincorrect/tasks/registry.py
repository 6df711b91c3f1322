"""Tasks by name: modules of this folder with their prompts, descriptions, and what other packages bring."""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

import yaml

from selfincorrect.errors import UserError
from selfincorrect.plugins import plugin, plugins
from selfincorrect.tasks.base import Task

GROUP = "selfincorrect.tasks"
_NO_TASKS = ("replies", "described")  # what all tasks share, and those that are described
# In the environment, as JSON, which jobs inherit: definitions of tasks, and modules of the user's by task.
DEFINED, INCLUDED = "SELFINCORRECT_TASKS", "SELFINCORRECT_INCLUDE"


def _built_in() -> tuple[str, ...]:
    folder = Path(__file__).parent
    found = sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in _NO_TASKS)
    for name in found:
        if not (folder / f"{name}.py").is_file():
            raise UserError(
                f"The task {name} has prompts, {folder / name}.yaml, and no module beside it, {name}.py."
            )
    return tuple(found)


BUILT_IN = _built_in()
_FILES = {path.stem: path for path in sorted((Path(__file__).parent / "ready").glob("*.yaml"))}
READY = tuple(name for name in _FILES if "." not in name)  # described by this package
NAMES = (*BUILT_IN, *READY, *plugins(GROUP))


def define(definitions: Mapping[str, Any]) -> None:
    """Make the tasks of a configuration known by name, here and in the jobs that follow."""
    os.environ[DEFINED] = json.dumps(definitions, sort_keys=True)


def inherited() -> bool:
    """Whether the process that started this one, or this one before, has made tasks known."""
    return DEFINED in os.environ


def defined() -> dict[str, Any]:
    """The definitions of tasks that a configuration describes, by name."""
    found: dict[str, Any] = json.loads(os.environ.get(DEFINED, "{}"))
    return found


def include(modules: Sequence[str]) -> None:
    """Make the tasks in a user's modules known by the names of the files, also in the jobs that follow."""
    os.environ[INCLUDED] = json.dumps(
        {Path(path).stem: str(Path(path).expanduser().absolute()) for path in modules}
    )


def included() -> dict[str, Path]:
    """The modules of the user's own, by task."""
    found: dict[str, str] = json.loads(os.environ.get(INCLUDED, "{}"))
    return {name: Path(path) for name, path in found.items()}


def names() -> tuple[str, ...]:
    """The names of all tasks, those of a configuration last."""
    return tuple(dict.fromkeys([*NAMES, *included(), *defined()]))


def get_task(name: str) -> Task:
    """The task called `name`, one of `names()`. Raises LookupError if there is none."""
    if name not in NAMES and name in included():
        return _own(included()[name])
    described = description(name)
    return _module(name) if described is None else _described(name, json.dumps(described, sort_keys=True))


def description(name: str) -> dict[str, Any] | None:
    """What describes a task that has no code of its own; None for a module."""
    if name in READY:
        return ready()[name]
    return None if name in NAMES or name in included() else defined().get(name)


@cache
def ready() -> dict[str, dict[str, Any]]:
    """The descriptions of this package, by name."""
    return {name: yaml.safe_load(_FILES[name].read_text(encoding="utf-8")) for name in READY}


@cache
def _module(name: str) -> Task:
    if name in BUILT_IN:
        return cast(Task, import_module(f"selfincorrect.tasks.{name}"))
    return cast(Task, plugin(GROUP, name))


@cache
def _own(path: Path) -> Task:
    """The module in a file of the user's. Raises UserError where it cannot be run."""
    spec = spec_from_file_location(f"_included_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UserError(f"There is no module {path}. Correct `include` in the configuration.")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"The module {path} cannot be run: {type(error).__name__}: {error}") from error
    return cast(Task, module)


@cache
def _described(name: str, definition: str) -> Task:
    # By its name: it is no part of the code of other tasks (`config.code_digest`).
    module = import_module("selfincorrect.tasks.described")
    kind = module.Ready if name in READY else module.Definition
    return cast(Task, module.DescribedTask(name, kind(**json.loads(definition))))


def prompt_file(name: str) -> Path:
    """The file with the prompts of the task called `name`, beside its module; not of one that is described.

    Raises UserError where there is none.
    """
    file = getattr(get_task(name), "__file__", None)
    path = Path(str(file)).with_suffix(".yaml")
    if file is None or not path.is_file():
        raise UserError(f"The task {name} is a module, {file}, that has no prompts beside it, {path.name}.")
    return path
