"""The kinds of answers by the name that a description has for them as `grade`."""

from importlib import import_module

from selfincorrect.tasks.answers.base import Kind
from selfincorrect.tasks.definition import Definition


def kind_of(told: Definition) -> Kind:
    """The kind of answer that a description asks for: the class of its name, in the module of its name."""
    # By its name: one kind is no part of the code of another's tasks (`config.code_digest`).
    module = import_module(f"selfincorrect.tasks.answers.{told.grade}")
    kind: type[Kind] = getattr(module, told.grade.capitalize())
    return kind(told)
