"""Tasks by name: those of this folder, a module and its prompt file, and those of other packages."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from selfincorrect.errors import UserError
from selfincorrect.plugins import plugin, plugins
from selfincorrect.tasks.base import Task

GROUP = "selfincorrect.tasks"
_NO_TASKS = ("replies",)  # what all tasks share


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
NAMES = (*BUILT_IN, *plugins(GROUP))


@cache
def get_task(name: str) -> Task:
    """The task module called `name`, one of NAMES. Raises LookupError if there is none."""
    if name in BUILT_IN:
        return cast(Task, import_module(f"selfincorrect.tasks.{name}"))
    return cast(Task, plugin(GROUP, name))


def prompt_file(name: str) -> Path:
    """The file with the prompts of the task called `name`, beside its module.

    Raises UserError where there is none.
    """
    file = getattr(get_task(name), "__file__", None)
    path = Path(str(file)).with_suffix(".yaml")
    if file is None or not path.is_file():
        raise UserError(f"The task {name} is a module, {file}, that has no prompts beside it, {path.name}.")
    return path
