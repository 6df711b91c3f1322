"""Check a configuration before any job starts, also for what pydantic cannot see (k > n, missing files)."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from selfincorrect.config.check import models, tasks, variants
from selfincorrect.config.problems import Problem, describe_all, found_and_allowed
from selfincorrect.config.schema import Config
from selfincorrect.errors import UserError
from selfincorrect.tasks import registry


def with_command_line(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with the values `given` by `snakemake --config`.

    They arrive as text inside lists and mappings. `ks` stands for `k` there, since Snakemake refuses keys of
    one letter; a single number is a list of one.
    """
    merged = dict(config)
    for key, value in given.items():
        merged[key] = _retyped(value, merged.get(key))
    if "ks" in given:
        value = merged.pop("ks")
        merged["k"] = value if isinstance(value, list) else [value]
    return merged


def _retyped(value: Any, present: Any) -> Any:
    if isinstance(value, Mapping):
        inside = present if isinstance(present, Mapping) else {}
        return {**inside, **{key: _retyped(each, inside.get(key)) for key, each in value.items()}}
    if isinstance(value, list):
        return [_retyped(each, None) for each in value]
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"--config: {value!r} cannot be read as a YAML value: {error}") from error


def check(raw: Mapping[str, Any]) -> Config:
    """The checked configuration. Raises UserError that lists everything that is wrong with `raw`.

    The tasks that it describes are known by name from then on, to jobs as well.
    """
    if both := _two_kinds(raw):
        raise UserError(describe_all(both))
    try:
        config = Config.model_validate(dict(raw))
    except ValidationError as error:
        raise UserError(describe_all(found_and_allowed(error, Config))) from error
    registry.include(config.include)
    if wrong := list(tasks.module_problems(config)):
        registry.include([])
        raise UserError(describe_all(wrong))
    told = {name: task.definition() for name, task in config.tasks.items()}
    described = {name: definition for name, definition in told.items() if definition is not None}
    # What the process that started this one has looked into is not looked into again, by every job.
    before, first = registry.defined(), not registry.inherited()
    registry.define(described)
    problems = [
        *_null_problems(raw),
        *models.alias_problems(config),
        *models.model_problems(config),
        *models.pool_problems(config),
        *tasks.task_problems(config, look=first or described != before),
        *tasks.judge_problems(config),
        *tasks.refinement_problems(config),
        *models.published_problems(config),
        *variants.choice_problems(config),
    ]
    if problems:
        registry.define(before)
        raise UserError(describe_all(dict.fromkeys(problems)))  # a problem of several tasks is told once
    return config


def _two_kinds(raw: Mapping[str, Any]) -> list[Problem]:
    """Models given as pools and as weights: each of their keys would be unknown to the other kind."""
    given = raw.get("models")
    entries = given if isinstance(given, Mapping) else {}
    kinds, found = {"pools", "source"}, "`pools` beside `source`"
    both = [name for name, each in entries.items() if isinstance(each, Mapping) and kinds <= set(each)]
    allowed = (
        "`pools` alone (candidates from elsewhere) or `source` (a model that is run): give them two names"
    )
    return [Problem(f"models.{name}", found, allowed, "") for name in both]


def _null_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """A section with nothing under it, which YAML reads as null, would silently do nothing."""
    if "refinement" in raw and raw["refinement"] is None:
        return [Problem("refinement", "nothing", "a mapping; {} for the defaults", "refinement: {}")]
    return []
