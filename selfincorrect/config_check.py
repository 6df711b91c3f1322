"""Check a configuration before any job starts: what pydantic cannot see, such as k > n or a file that is not there."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from selfincorrect import tasks
from selfincorrect.config import Config, ModelConfig, VariantConfig
from selfincorrect.config_errors import Problem, describe_all, found_and_allowed
from selfincorrect.errors import UserError
from selfincorrect.judging import judges_of
from selfincorrect.pools import FlatPool
from selfincorrect.prompts import task_prompts
from selfincorrect.published import PAPER_TABLES, model_names
from selfincorrect.sources import Files, LocalFile, is_folder
from selfincorrect.sources.catalog import PREFIX as CATALOG_PREFIX
from selfincorrect.sources.catalog import catalog


def with_command_line(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with the values `given` by `snakemake --config`, which arrive as text inside lists and mappings.

    `ks` stands for `k` there, since Snakemake refuses keys of one letter; a single number is a list of one.
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
    """The checked configuration. Raises UserError that lists everything that is wrong with `raw`."""
    try:
        config = Config.model_validate(dict(raw))
    except ValidationError as error:
        raise UserError(describe_all(found_and_allowed(error, Config))) from error
    problems = [
        *_alias_problems(config),
        *_model_problems(config),
        *_pool_problems(config),
        *_task_problems(config),
        *_judge_problems(config),
        *_refinement_problems(config),
        *_published_problems(config),
        *_choice_problems(config),
    ]
    if problems:
        raise UserError(describe_all(problems))
    return config


def _alias_problems(config: Config) -> list[Problem]:
    problems = []
    for section in ("models", "variants"):
        seen: dict[str, str] = {}
        for alias in getattr(config, section):
            other = seen.setdefault(alias.lower(), alias)
            if other != alias:
                problems.append(
                    Problem(
                        f"{section}.{alias}",
                        f"{alias!r} beside {other!r}",
                        "aliases that differ in more than case: each is a folder's name",
                        f"{alias}-2: …",
                    )
                )
    return problems


def _model_problems(config: Config) -> list[Problem]:
    problems = []
    for alias, model in config.weighted.items():
        key, source = f"models.{alias}", model.source
        problems += _tasks_and_server_problems(key, model, config)
        if model.engine == "openai":
            continue
        on_hub = isinstance(source, str) and not source.startswith(CATALOG_PREFIX) and not is_folder(source)
        if model.revision is not None and (not on_hub or model.engine == "scripted"):
            problems.append(
                Problem(
                    f"{key}.revision", repr(model.revision), "none: only hub ids have revisions", "(remove the line)"
                )
            )
        if not isinstance(source, str):
            continue
        if source.startswith(CATALOG_PREFIX) and model.engine != "scripted":
            name = source.removeprefix(CATALOG_PREFIX)
            if name not in catalog():
                known = ", ".join(CATALOG_PREFIX + each for each in catalog())
                problems.append(Problem(f"{key}.source", repr(source), known, f"source: {known.split(', ')[0]}"))
        elif model.engine == "scripted" or is_folder(source):
            path = Path(source).expanduser()
            wanted = "a YAML file" if model.engine == "scripted" else "a folder with config.json"
            there = path.is_file() if model.engine == "scripted" else (path / "config.json").is_file()
            if not there:
                problems.append(
                    Problem(
                        f"{key}.source",
                        f"{source!r} ({path.absolute()})",
                        f"{wanted} that exists",
                        "source: ./models/my-model",
                    )
                )
        elif source.count("/") != 1 or not all(source.split("/")) or ".." in source:
            problems.append(
                Problem(
                    f"{key}.source",
                    repr(source),
                    "owner/name on the hub, a path that begins with / ./ or ~, or catalog:<name>",
                    "source: HuggingFaceTB/SmolLM2-135M-Instruct",
                )
            )
        elif model.revision is None:
            problems.append(
                Problem(
                    f"{key}.revision",
                    "nothing",
                    "a commit of the hub repository (or a tag or branch)",
                    "revision: main",
                )
            )
    return problems


def _tasks_and_server_problems(key: str, model: ModelConfig, config: Config) -> list[Problem]:
    problems = []
    for task in model.tasks or ():
        if task not in config.tasks:
            allowed = f"the tasks of this experiment: {', '.join(config.tasks)}"
            problems.append(Problem(f"{key}.tasks", repr(task), allowed, f"tasks: [{', '.join(config.tasks)}]"))
    if model.engine == "openai" and model.server is None:
        paste = "server: {url: 'http://127.0.0.1:8000/v1'}"
        problems.append(
            Problem(f"{key}.server", "nothing", "where the model is served: url, and key for a hosted one", paste)
        )
    if model.engine != "openai" and model.server is not None:
        allowed = "none: only `engine: openai` has a server"
        problems.append(Problem(f"{key}.server", f"a server, with engine: {model.engine}", allowed, "engine: openai"))
    if model.engine == "openai" and not isinstance(model.source, str):
        problems.append(
            Problem(f"{key}.source", "packages", "the model's id at the server", "source: gpt-4-turbo-2024-04-09")
        )
    return problems


def _judge_problems(config: Config) -> list[Problem]:
    problems = []
    for name, task in config.tasks.items():
        if name not in tasks.NAMES:
            continue
        module = tasks.get_task(name)
        roles, given = list(judges_of(module)), task.judges or {}
        example = next(iter(config.weighted), "my-judge")
        paste = f"judges: {{{', '.join(f'{role}: {example}' for role in roles)}}}"
        # Pools may bring grades of their own; whether they do is seen when they are read.
        asked = [model for model in config.weighted if name in config.tasks_of(model)]
        if given and set(given) != set(roles):
            allowed = f"exactly {', '.join(roles)}" if roles else f"none: {name} is graded without judges"
            problems.append(
                Problem(f"tasks.{name}.judges", ", ".join(given), allowed, paste if roles else "(remove the line)")
            )
        elif roles and not given and not module.GRADINGS and asked:
            allowed = f"a model for each of: {', '.join(roles)}; any configured model can judge (`tasks: []` if it does nothing else)"
            problems.append(Problem(f"tasks.{name}.judges", "nothing", allowed, paste))
        one_token = any(judge.tokens == 1 for judge in judges_of(module).values())
        for key in ("judge_primer", "judge_tokens"):
            if getattr(task, key) and (one_token or not given):
                why = "a judge that answers with one token" if one_token else "a task without judges"
                problems.append(
                    Problem(
                        f"tasks.{name}.{key}", repr(getattr(task, key)), f"none: {name} has {why}", "(remove the line)"
                    )
                )
        for role, model in given.items():
            server = config.weighted[model].server if model in config.weighted else None
            if one_token and server and not server.logprobs:
                allowed = "true: this judge's agreement is a probability"
                problems.append(Problem(f"models.{model}.server.logprobs", "false", allowed, "logprobs: true"))
            if task.judge_primer and model in config.weighted and config.weighted[model].engine == "openai":
                allowed = "none: a server does not go on from a text that it has not written"
                problems.append(
                    Problem(f"tasks.{name}.judge_primer", repr(task.judge_primer), allowed, "(remove the line)")
                )
            if model not in config.weighted:
                allowed = f"a configured model with an engine: {', '.join(config.weighted) or 'there is none'}"
                problems.append(Problem(f"tasks.{name}.judges.{role}", repr(model), allowed, paste))
    if not config.cells():
        problems.append(
            Problem("models", "no model with a task", "at least one that is measured", "(remove `tasks: []`)")
        )
    return problems


def _refinement_problems(config: Config) -> list[Problem]:
    if config.refinement is None or not set(config.tasks) <= set(tasks.NAMES):
        return []
    fitting = ", ".join(config.refinable)
    problems = [
        Problem(
            "refinement.tasks",
            repr(name),
            f"configured tasks that are graded without a judge: {fitting}",
            f"tasks: [{fitting}]",
        )
        for name in config.refinement.tasks or ()
        if name not in config.refinable
    ]
    if not problems and not config.refined():
        allowed = "a model with weights and a task of it that is graded without a judge"
        problems.append(
            Problem("refinement", "nothing to refine", allowed, "(remove the section, or its tasks and models)")
        )
    return problems


def _published_problems(config: Config) -> list[Problem]:
    problems = []
    for alias, model in config.weighted.items():
        if model.published is not None and model.published not in model_names():
            close = difflib.get_close_matches(model.published, model_names(), n=1, cutoff=0) or model_names()
            allowed = f"a model of the paper: {', '.join(model_names())}"
            problems.append(
                Problem(f"models.{alias}.published", repr(model.published), allowed, f"published: {close[0]}")
            )
    return problems


def _pool_problems(config: Config) -> list[Problem]:
    problems = []
    files = [(f"models.{alias}.pools.{task}", pool.path) for alias, model in config.pooled.items() for task, pool in model.pools.items()]  # fmt: skip
    files += [(f"audit.{name}", path) for name, path in config.audit.items()]
    for key, path in files:
        if not Path(path).expanduser().is_file():
            wanted = "a file that exists"
            problems.append(Problem(key, str(Path(path).expanduser().absolute()), wanted, "path: data/pool.jsonl"))
    for alias, model in config.pooled.items():
        for task, pool in model.pools.items():
            key = f"models.{alias}.pools.{task}"
            if task not in config.tasks:
                allowed = f"the tasks of this experiment: {', '.join(config.tasks)}"
                problems.append(Problem(key, repr(task), allowed, f"tasks: {{{task}: {{}}}}"))
            if isinstance(pool, FlatPool) and pool.grades is not None and len(pool.grades) != len(pool.answers):
                found = f"{len(pool.grades)} columns for {len(pool.answers)} answers"
                paste = f"grades: [{', '.join(f'{answer}_correct' for answer in pool.answers)}]"
                problems.append(Problem(f"{key}.grades", found, "one for each answer", paste))
            if isinstance(pool, FlatPool) and len(set(pool.answers)) < len(pool.answers):
                problems.append(
                    Problem(f"{key}.answers", str(pool.answers), "each column once", "answers: [answer1, answer2]")
                )
            if isinstance(pool, FlatPool) and pool.outputs and len(pool.answers) not in config.k:
                found = f"outputs over {len(pool.answers)} answers, and k: {config.k}"
                paste = f"k: {sorted({*config.k, len(pool.answers)})}"
                problems.append(Problem(f"{key}.outputs", found, "a k that is the number of answers shown", paste))
            if isinstance(pool, FlatPool) and pool.outputs and pool.outputs.pattern:
                problems += _pattern_problems(f"{key}.outputs.pattern", pool.outputs.pattern)
    for name in PAPER_TABLES:
        if name in config.audit:
            problems.append(
                Problem(f"audit.{name}", repr(name), "another name: this is the paper's", "audit: {mine: …}")
            )
    return problems


def _pattern_problems(key: str, pattern: str) -> list[Problem]:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return [Problem(key, repr(pattern), f"a regular expression ({error})", r"pattern: '### *(\d+)'")]
    if groups != 1:
        return [Problem(key, f"{groups} groups", "one group, around the label", r"pattern: '### *(\d+)'")]
    return []


def _task_problems(config: Config) -> list[Problem]:
    problems = []
    for name, task in config.tasks.items():
        if name not in tasks.NAMES:
            allowed = ", ".join(tasks.NAMES)
            problems.append(Problem(f"tasks.{name}", repr(name), allowed, f"{tasks.NAMES[0]}: {{limit: 24}}"))
            continue
        sources = tasks.get_task(name).SOURCES
        if isinstance(task.source, str) and task.source not in sources:
            allowed = f"{', '.join(sources)}, or a mapping with path, repo or package"
            problems.append(
                Problem(
                    f"tasks.{name}.source",
                    repr(task.source),
                    allowed,
                    f"source: {next(iter(sources))}",
                )
            )
        files = task.source.files.values() if isinstance(task.source, Files) else [task.source]
        for file in files:
            if isinstance(file, LocalFile) and not Path(file.path).expanduser().is_file():
                found = str(Path(file.path).expanduser().absolute())
                paste = "path: data/questions.parquet"
                problems.append(Problem(f"tasks.{name}.source.path", found, "a file that exists", paste))
        problems += _shot_problems(config, name)
    return problems


def _shot_problems(config: Config, name: str) -> list[Problem]:
    """Demonstrations that are asked for and not there: of the task, or of a variant that multiplies them."""
    given, available = config.tasks[name].shots, len(task_prompts(name).demonstrations)
    shots = tasks.get_task(name).SHOTS if given is None else given
    if shots > available:
        allowed = f"0 to {available}, the demonstrations there are"
        return [Problem(f"tasks.{name}.shots", str(given), allowed, f"shots: {available}")]
    return [
        Problem(
            f"variants.{alias}.shots",
            f"{variant.shots} times {shots} demonstrations of {name}",
            f"at most {available}, the demonstrations there are",
            f"shots: {max(available // shots, 1)}",
        )
        for alias, variant in config.variants_of(name).items()
        if shots * variant.shots > available
    ]


def _choice_problems(config: Config) -> list[Problem]:
    problems = []
    n = config.sampling.n
    for index, k in enumerate(config.k):
        if k < 2 or (k > n and config.weighted):  # a pool from elsewhere has an n of its own, checked when it is read
            problems.append(
                Problem(
                    f"k.{index}",
                    str(k),
                    f"2 to n, and n (sampling.n) is {n}",
                    f"sampling: {{n: {max(k, 2)}}}",
                )
            )
        if k in config.k[:index]:
            problems.append(Problem(f"k.{index}", f"{k} a second time", "each k once", f"k: {sorted(set(config.k))}"))
    lettered = [name for name, variant in config.variants.items() if variant.labels == "letters"]
    if lettered and max(config.k) > 26:
        problems.append(
            Problem(
                f"variants.{lettered[0]}.labels",
                f"'letters' for k = {max(config.k)}",
                "k of at most 26, or digits",
                "labels: digits",
            )
        )
    for task in config.tasks:
        if not config.variants_of(task):
            problems.append(
                Problem(
                    f"tasks.{task}",
                    "no variant for this task",
                    "at least one variant without `tasks`, or with it",
                    "full: {}",
                )
            )
    named = [(f"variants.{name}.models", variant.models) for name, variant in config.variants.items()]
    named.append(("refinement.models", config.refinement.models if config.refinement else None))
    for key, models in named:
        for model in models or ():
            if model not in config.models:
                allowed = ", ".join(config.models)
                problems.append(Problem(key, repr(model), f"configured models: {allowed}", f"models: [{allowed}]"))
    for model, task in config.cells():
        if not config.variants_of(task, model) and config.variants_of(task):
            paste = "full: {}"
            problems.append(
                Problem(
                    f"models.{model}", f"no variant for {task}", "at least one variant for each of its tasks", paste
                )
            )
    for name, variant in config.variants.items():
        for task in variant.tasks or config.tasks:
            if task not in config.tasks:
                allowed = ", ".join(config.tasks)
                problems.append(
                    Problem(
                        f"variants.{name}.tasks",
                        repr(task),
                        f"configured tasks: {allowed}",
                        f"tasks: [{allowed}]",
                    )
                )
            elif task in tasks.NAMES:
                problems += _variant_problems(name, variant, task)
    return problems


def _variant_problems(name: str, variant: VariantConfig, task: str) -> list[Problem]:
    ways = list(task_prompts(task).discriminate)
    others = f"{{tasks: [...]}} to leave {task} out"
    if variant.selector == "score":
        free = {"selector", "tasks", "models", "candidates", "distractors", "shots"}
        options = variant.model_dump(exclude_defaults=True, exclude=free)
        if options:
            found, allowed = (
                f"'score' beside {', '.join(options)}",
                "only candidates, distractors and shots: each is shown alone",
            )
            return [Problem(f"variants.{name}.selector", found, allowed, f"{name}: {{selector: score}}")]
    elif variant.selector != "choose" and variant != VariantConfig(
        selector=variant.selector, tasks=variant.tasks, models=variant.models
    ):
        options = variant.model_dump(exclude_unset=True, exclude={"selector", "tasks", "models"})
        return [
            Problem(
                f"variants.{name}.selector",
                f"{variant.selector!r} beside {', '.join(options)}",
                "nothing about how candidates are shown: this rule asks no model",
                f"{name}: {{selector: {variant.selector}}}",
            )
        ]
    if variant.candidates is not None and variant.candidates not in ways:
        return [
            Problem(
                f"variants.{name}.candidates",
                f"{variant.candidates!r}, which {task} cannot have",
                ", ".join(ways),
                f"{name}: {others}",
            )
        ]
    if variant.candidates == "solution" and variant.distractors == "easy" and "final" in ways:
        return [
            Problem(
                f"variants.{name}.candidates",
                "'solution' with easy distractors",
                "'final': only final answers can be simplified",
                f"{name}: {{distractors: easy}}",
            )
        ]
    return []
