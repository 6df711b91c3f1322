"""Words for what is wrong with a configuration: the key, what was found, what is allowed, a line to paste."""

import difflib
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a configuration.

    `paste` is a line that would be accepted, "" where nobody can know it.
    """

    key: str
    found: str
    allowed: str
    paste: str


def describe_all(problems: Iterable[Problem]) -> str:
    """All problems as one message."""
    blocks = [
        f"  {problem.key}\n    found:   {problem.found}\n    allowed: {problem.allowed}"
        + (f"\n    write:   {problem.paste}" if problem.paste else "")
        for problem in problems
    ]
    return "The configuration is wrong; no job was started.\n" + "\n".join(blocks)


def found_and_allowed(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """A problem for each error that pydantic found."""
    return [_problem(dict(detail), model) for detail in error.errors(include_url=False)]


def _problem(detail: dict[str, Any], model: type[BaseModel]) -> Problem:
    # The names of a union's branches are no keys of the user's file.
    location = [part for part in detail["loc"] if part not in _BRANCHES]
    if location and location[-1] == "[key]":
        location.pop()
    key = ".".join(map(str, location)) or "(top level)"
    name = str(location[-1]) if location else "?"
    found = "nothing" if detail["type"] == "missing" else _short(detail["input"])
    if location[-2:] == ["server", "key"]:  # it may be the key itself, which is never shown
        allowed = "the name of an environment variable, in capitals, that holds the key; never the key itself"
        return Problem(key, "something that is no such name", allowed, "key: OPENAI_API_KEY")
    if location[-2:] == ["server", "url"]:  # it may hold credentials, which are never shown
        found = "nothing" if detail["type"] == "missing" else "something else"
        allowed = "http://host:port/v1 or https://…, without credentials"
        return Problem(key, found, allowed, "url: http://127.0.0.1:8000/v1")
    if detail["input"] is None and detail["type"].endswith(("model_type", "dict_type")):
        return Problem(key, "nothing", "a mapping; {} for the defaults", f"{name}: {{}}")
    if detail["type"] == "extra_forbidden":
        known = _known_keys(location[:-1], model)
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        return Problem(key, f"the unknown key {name!r}", ", ".join(known), f"{close[0]}: …" if close else "")
    if detail["loc"][-1] == "[key]" and not isinstance(detail["input"], str):
        # YAML reads 405, on, yes, 1e3 and dates as other things than names.
        read = {True: "on, yes or true", False: "off, no or false", None: "null"}
        said = read.get(detail["input"], str(detail["input"]))
        found, paste = f"the name {said}, which is no text in YAML", f'"{said.split(",")[0]}": …'
        return Problem(key, found, "text: put quotes around the name", paste)
    if detail["type"] == "string_pattern_mismatch" and detail["loc"][-1] == "[key]":
        allowed = "letters, digits, - and _, beginning with a letter or digit, at most 64"
        cleaned = "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-")
        return Problem(key, f"the name {name!r}", allowed, f"{cleaned or 'my-model'}: …")
    example = _example(detail)
    return Problem(key, found, detail["msg"], f"{name}: {example}" if example else "")


_BRANCHES = (
    *("str", "GgufPackages", "name", "repo-file", "HubFile", "PackageMember", "LocalFile", "several"),
    *("model-weights", "model-pools", "pool-canonical", "pool-lm-eval", "pool-columns"),
)

# Keys of hosted services, pasted where something else belongs.
_SECRET = re.compile(r"\b(?:sk|hf|gsk|xai|pk|key|AIza|ghp)[-_]?[A-Za-z0-9_-]{5,}")


def _short(value: Any) -> str:
    text = _SECRET.sub("[hidden]", repr(value))
    return text if len(text) <= 80 else text[:77] + "..."


def _example(detail: dict[str, Any]) -> str:
    context = detail.get("ctx", {})
    if "expected" in context:
        return str(context["expected"]).split(",")[0].split(" or ")[0].strip("'")
    if "ge" in context:
        return str(context["ge"])
    if "gt" in context:
        return str(context["gt"] + 0.7)
    if "le" in context:
        return str(context["le"])
    simple = {"int": "4", "float": "0.7", "string": "text", "list": "[2, 4]", "bool": "false"}
    return next((text for kind, text in simple.items() if detail["type"].startswith(kind)), "")


def _known_keys(location: list[Any], model: type[BaseModel]) -> list[str]:
    """The keys that the section at `location` can have."""
    annotation: Any = model
    for part in location:
        models = _models(annotation)
        fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        # Under a mapping of aliases the part is a name of the user's, and the mapping's values come next.
        annotation = Union[tuple(fields)] if fields else annotation  # noqa: UP007
    return sorted({key for m in _models(annotation) for key in m.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    holds_others = get_origin(annotation) in (Union, types.UnionType, dict, list, tuple)
    if holds_others or hasattr(annotation, "__metadata__"):
        return [model for argument in get_args(annotation) for model in _models(argument)]
    return []
