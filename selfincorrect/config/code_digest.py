"""Digests of the code behind a result, so that Snakemake makes again just what an edit can change.

Snakemake does not see edits of imported modules. A rule therefore has, among its `params`, the digest of the
functions that it begins with and of everything of this package that they reach by name. The source is read
and nothing is imported: comments, docstrings, layout and unrelated functions of the same file do not count,
and neither do data files that a module reads (prompts are `params` of their own). A task is an object that no
name leads to: what its protocol holds, and the code mentions as an attribute, is looked for in the task's
module.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from selfincorrect.digest import digest

PACKAGE = "selfincorrect"
ROOT = Path(__file__).parent.parent


@dataclass
class _Module:
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)  # local name -> dotted name


@cache
def code_digest(*roots: str, task: str | None = None, root: Path = ROOT) -> str:
    """The digest of everything that is `reached`."""
    return digest(reached(*roots, task=task, root=root))


def reached(*roots: str, task: str | None = None, root: Path = ROOT) -> dict[str, list[str]]:
    """What `roots` reach: by dotted name, the syntax trees of its definition.

    Roots are dotted names such as `generate.stage.run`, or whole modules; `task` names the task that they
    work on. Raises LookupError if a root is neither a module nor a name defined in one.
    """
    reached: dict[str, list[str]] = {}
    waiting = [f"{PACKAGE}.{name}" for name in roots]
    for name in waiting:
        if not _resolve(name, str(root)):
            raise LookupError(f"{name} is neither a module of the package nor a name in one")
    while waiting:
        resolved = _resolve(waiting.pop(), str(root))
        if resolved is None or resolved in reached:
            continue
        reached[resolved], names, parts = _read(resolved, str(root))
        waiting += names
        if task is not None:
            waiting += [f"{PACKAGE}.tasks.{task}.{name}" for name in parts]
    return reached


@cache
def _read(name: str, root: str) -> tuple[list[str], list[str], list[str]]:
    """The trees of a resolved name's definition, the dotted names that it mentions, and the parts of a task.

    It is read once, since a workflow has many stages that reach much of the same.
    """
    owner, nodes = _lookup(name, root)
    children = [child for node in nodes for child in ast.walk(node)]
    names, parts = _names_in(children, owner, root), _parts_of_tasks(children, owner, root)
    return [ast.dump(node) for node in nodes], sorted(set(names)), sorted(set(parts))


@cache
def _protocol(root: str) -> frozenset[str]:
    """The names that a task module may define: those of the class Task."""
    [protocol] = _lookup(f"{PACKAGE}.tasks.base.Task", root)[1]
    assert isinstance(protocol, ast.ClassDef)
    annotated = (
        n.target.id for n in protocol.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    )
    return frozenset([*annotated, *(n.name for n in protocol.body if isinstance(n, ast.FunctionDef))])


def _parts_of_tasks(nodes: Sequence[ast.AST], owner: str, root: str) -> list[str]:
    """Which parts of a task nodes of a module mention.

    They are attributes of what is no imported module, and texts given to getattr.
    """
    module = _module(owner, root)
    assert module is not None
    found: list[Any] = []
    for child in nodes:
        if isinstance(child, ast.Attribute):
            if not (isinstance(child.value, ast.Name) and child.value.id in module.imports):
                found.append(child.attr)
        elif isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "getattr":
            found += [each.value for each in child.args if isinstance(each, ast.Constant)]
    return [name for name in found if name in _protocol(root)]


@cache
def _module(name: str, root: str) -> _Module | None:
    path = Path(root, *name.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():
        return None
    module = _Module()
    for node in ast.walk(tree := ast.parse(path.read_text(encoding="utf-8"))):
        match getattr(node, "body", None):
            case [ast.Expr(value=ast.Constant(value=str())), *rest]:  # a docstring
                node.body = rest or [ast.Pass()]  # type: ignore[attr-defined]
        if isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for statement in tree.body:
        for name_ in _defined(statement):
            module.definitions.setdefault(name_, []).append(statement)
    return module


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    return []


@cache
def _resolve(name: str, root: str) -> str | None:
    """`name`, followed through imports to a module or what one defines; None if it is not of this package."""
    if name != PACKAGE and not name.startswith(PACKAGE + "."):
        return None
    if _module(name, root):
        return name
    parent, _, attribute = name.rpartition(".")
    module = _module(parent, root) if parent else None
    if module is None:
        return None
    if attribute in module.definitions:
        return name
    return _resolve(module.imports[attribute], root) if attribute in module.imports else None


def _lookup(name: str, root: str) -> tuple[str, list[ast.stmt]]:
    """The module of a resolved name, and the statements that define it (all of them if it is a module)."""
    if module := _module(name, root):
        return name, [node for nodes in module.definitions.values() for node in nodes]
    owner, _, attribute = name.rpartition(".")
    module = _module(owner, root)
    assert module is not None
    return owner, module.definitions[attribute]


def _names_in(nodes: Sequence[ast.AST], owner: str, root: str) -> list[str]:
    """The dotted names of what nodes of the module `owner` mention."""
    module = _module(owner, root)
    assert module is not None
    found = []
    for child in nodes:
        if isinstance(child, ast.Name):
            if child.id in module.definitions:
                found.append(f"{owner}.{child.id}")
            elif child.id in module.imports and not _is_module(module.imports[child.id], root):
                found.append(module.imports[child.id])
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            target = module.imports.get(child.value.id)
            if target is not None and _is_module(target, root):
                found.append(f"{target}.{child.attr}")
    return found


def _is_module(name: str, root: str) -> bool:
    return name.startswith(PACKAGE) and _module(name, root) is not None
