"""The tasks, by name. A new task is a module in this folder and its prompt file (see `tasks/base.py`)."""

from importlib import import_module
from pathlib import Path
from typing import cast

from selfincorrect.tasks.base import Task

NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.yaml") if path.with_suffix(".py").exists()))


def get_task(name: str) -> Task:
    """The task module called `name`, one of NAMES. Raises ModuleNotFoundError for another."""
    return cast(Task, import_module(f"selfincorrect.tasks.{name}"))
