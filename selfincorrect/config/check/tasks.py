"""What can be wrong with tasks: sources, demonstrations, judges, and what is to be refined."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from selfincorrect.config.check.models import pattern_problems
from selfincorrect.config.problems import Problem
from selfincorrect.config.schema import Config
from selfincorrect.config.task_section import TaskConfig
from selfincorrect.engines.registry import engine_kind
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import Files, Generated, HubFile, LocalFile, PackageMember
from selfincorrect.tasks import fields
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.base import executes, hindrance_of, judges_of
from selfincorrect.tasks.definition import COLUMNS
from selfincorrect.tasks.puzzles.base import puzzles
from selfincorrect.tasks.templates import task_prompts

# Options that go with a grade, neither without the other.
_TOGETHER: dict[str, tuple[tuple[str, ...], str]] = {
    "options": (("choice",), "options: [A, B]"),
    "pattern": (("regex",), r"pattern: 'answer is (\w+)'"),
    "tests": (("code", "program"), "tests: tests"),
}
QUICK = 2**21  # bytes of a file that is looked into before any job, each of which reads the configuration


def task_problems(config: Config, look: bool = True) -> Iterator[Problem]:
    """What is wrong with tasks; `look` says whether to look into files and at this machine."""
    for name, task in config.tasks.items():
        if name not in tasks.names():
            allowed = ", ".join(tasks.names())
            close = difflib.get_close_matches(name, tasks.names(), n=1, cutoff=0)[0]
            own = f"{allowed}; or one of your own, with `source: {{path: …}}`, `question` and `answer`"
            yield Problem(f"tasks.{name}", repr(name), own, f"{close}: {{limit: 24}}")
            continue
        if task.question is not None:
            yield from _described_problems(name, task)
            if look and isinstance(task.source, LocalFile) and task.answer:
                yield from _column_problems(f"tasks.{name}", task)
        yield from _execution_problems(name, task, look)
        sources = tasks.get_task(name).SOURCES
        if isinstance(task.source, str) and task.source not in sources:
            if task.question is not None:
                continue  # of one's own, which wants a file: it is told already
            allowed = f"{', '.join(sources)}, or a mapping with path, repo or package"
            yield Problem(
                f"tasks.{name}.source", repr(task.source), allowed, f"source: {next(iter(sources))}"
            )
        elif isinstance(source := config.task_source(name), Generated):
            yield from _puzzle_problems(f"tasks.{name}.source", source, tasks.description(name))
        files = task.source.files.values() if isinstance(task.source, Files) else [task.source]
        for file in files:
            if isinstance(file, LocalFile) and not Path(file.path).expanduser().is_file():
                found = str(Path(file.path).expanduser().absolute())
                yield Problem(f"tasks.{name}.source.path", found, "a file that exists", "")
        yield from _shot_problems(config, name)


def module_problems(config: Config) -> Iterator[Problem]:
    """Modules of one's own that are not there, lack their prompts, or have the name of another task."""
    for given in config.include:
        path = Path(given).expanduser()
        for file in (path, path.with_suffix(".yaml")):
            if path.suffix != ".py" or not file.is_file():
                yield Problem(
                    "include", str(file), "a module, mine.py, and its prompts beside it, mine.yaml", ""
                )
        if path.stem in tasks.NAMES:
            yield Problem(
                "include", repr(path.stem), "a file whose name is no task's", f"include: [my_{path.name}]"
            )


def _puzzle_problems(key: str, source: Generated, told: dict[str, Any] | None) -> Iterator[Problem]:
    """Puzzles that nobody makes, of a size that they have not, or of another kind than the task's."""
    known = [name for name in (told or {}).get("sources", {}).values() if "generator" in name]
    allowed = ", ".join(each["generator"] for each in known) or "none: this task is read from data"
    if source.generator not in allowed.split(", "):
        yield Problem(f"{key}.generator", repr(source.generator), allowed, "")
        return
    for size in source.sizes:
        try:
            puzzles(source.generator).make(size, Random(0))
        except ValueError as error:
            yield Problem(f"{key}.sizes", str(size), f"other sizes: {error}", f"sizes: {known[0]['sizes']}")


def _execution_problems(name: str, task: TaskConfig, look: bool) -> Iterator[Problem]:
    """What hinders the grading of answers: nobody asked to run them, or this machine lacks what it takes.

    The latter is looked for once, where the run begins: machines of jobs that grade nothing need none of it.
    """
    if executes(tasks.get_task(name)) != task.execute:
        if task.execute:
            found, allowed = "true", "false: answers of this task are no programs, and nothing is run"
        else:
            found, allowed = "false", "true: its answers are programs that models write, run in a sandbox"
        yield Problem(f"tasks.{name}.execute", found, allowed, f"execute: {str(not task.execute).lower()}")
    elif look and (hindrance := hindrance_of(tasks.get_task(name))):
        yield Problem(f"tasks.{name}", "a task that cannot be graded here", hindrance, "")


def _described_problems(name: str, task: TaskConfig) -> Iterator[Problem]:
    """What a task lacks that is described in the configuration, or has and cannot."""
    key = f"tasks.{name}"
    if name in tasks.NAMES:
        yield Problem(key, f"{name!r} with a column of questions", "a name that no task has", f"my_{name}: …")
    if not isinstance(task.source, LocalFile | HubFile | PackageMember):
        allowed = "a file: {path: …}, {repo: …} or {package: …}"
        yield Problem(f"{key}.source", repr(task.source), allowed, f"source: {{path: {name}.csv}}")
    if not task.answer:
        yield Problem(f"{key}.answer", "nothing", "the column of the right answer", "answer: answer")
    for option, (grades, paste) in _TOGETHER.items():
        given = getattr(task, option) is not None
        if given != (task.grade in grades):
            wanted = " or ".join(f"`grade: {grade}`" for grade in grades)
            found = f"`{option}` without {wanted}" if given else f"`grade: {task.grade}` without `{option}`"
            yield Problem(
                f"{key}.{option}", found, "both or neither", f"grade: {grades[0]}" if given else paste
            )
    for option in ("pattern", "level_pattern"):
        if getattr(task, option) is not None:
            yield from pattern_problems(f"{key}.{option}", getattr(task, option))
    if task.grade in ("puzzle", "instructions"):
        yield Problem(f"{key}.grade", repr(task.grade), "a grade for data of your own", "grade: aliases")


def _column_problems(key: str, task: TaskConfig) -> Iterator[Problem]:
    """Columns that a file of questions has not, as far as that is quickly seen."""
    from selfincorrect.sources.rows import read_rows  # slow to import, and needed here alone

    assert isinstance(task.source, LocalFile)
    path = Path(task.source.path).expanduser()
    if not path.is_file() or path.stat().st_size > QUICK:
        return
    try:
        row = next(iter(read_rows(path)), {})
    except UserError:
        return  # the job that reads it says what is wrong
    for field in COLUMNS:
        for column in fields.names_in(getattr(task, field)):
            try:
                fields.value(row, column)
            except ValueError:
                allowed = f"a column of {path.name}: {', '.join(row)}"
                if row:
                    yield Problem(f"{key}.{field}", repr(column), allowed, f"{field}: {next(iter(row))}")


def _shot_problems(config: Config, name: str) -> list[Problem]:
    """What asks for demonstrations that are not there: the task, or a variant that multiplies them."""
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


def judge_problems(config: Config) -> Iterator[Problem]:
    for name, task in config.tasks.items():
        if name not in tasks.names():
            continue
        module = tasks.get_task(name)
        roles, given = list(judges_of(module)), task.judges or {}
        example = next(iter(config.weighted), "my-judge")
        paste = f"judges: {{{', '.join(f'{role}: {example}' for role in roles)}}}"
        # Pools may bring grades of their own; whether they do is seen when they are read.
        asked = [model for model in config.weighted if name in config.tasks_of(model)]
        if given and set(given) != set(roles):
            allowed = f"exactly {', '.join(roles)}" if roles else f"none: {name} is graded without judges"
            yield Problem(
                f"tasks.{name}.judges", ", ".join(given), allowed, paste if roles else "(remove the line)"
            )
        elif roles and not given and not module.GRADINGS and asked:
            allowed = (
                f"a model for each of: {', '.join(roles)}; "
                "any configured model can judge (`tasks: []` if it does nothing else)"
            )
            yield Problem(f"tasks.{name}.judges", "nothing", allowed, paste)
        second = task.second_judges or {}
        if second and set(second) != set(given):
            allowed = f"the roles of `judges`: {', '.join(given) or 'there are none'}"
            yield Problem(f"tasks.{name}.second_judges", ", ".join(second), allowed, "(remove the line)")
        one_token = any(judge.tokens == 1 for judge in judges_of(module).values())
        for key in ("judge_primer", "judge_tokens", "ratings"):
            if key in task.model_fields_set and getattr(task, key) and (one_token or not given):
                why = "a judge that answers with one token" if one_token else "a task without judges"
                yield Problem(
                    f"tasks.{name}.{key}",
                    repr(getattr(task, key)),
                    f"none: {name} has {why}",
                    "(remove the line)",
                )
        for role, model in task.raters.items():
            server = config.weighted[model].server if model in config.weighted else None
            if one_token and server and not server.logprobs:
                allowed = "true: this judge's agreement is a probability"
                yield Problem(f"models.{model}.server.logprobs", "false", allowed, "logprobs: true")
            if (
                task.judge_primer
                and model in config.weighted
                and engine_kind(config.weighted[model].engine).served
            ):
                allowed = "none: a server does not go on from a text that it has not written"
                yield Problem(
                    f"tasks.{name}.judge_primer", repr(task.judge_primer), allowed, "(remove the line)"
                )
            if model not in config.weighted:
                allowed = (
                    f"a configured model with an engine: {', '.join(config.weighted) or 'there is none'}"
                )
                yield Problem(f"tasks.{name}.judges.{role}", repr(model), allowed, paste)
    if not config.pairs():
        yield Problem(
            "models", "no model with a task", "at least one that is measured", "(remove `tasks: []`)"
        )


def refinement_problems(config: Config) -> Iterator[Problem]:
    if config.refinement is None or not set(config.tasks) <= set(tasks.names()):
        return
    fitting = ", ".join(config.refinable)
    allowed = f"configured tasks that are graded without a judge: {fitting}"
    unfit = [name for name in config.refinement.tasks or () if name not in config.refinable]
    for name in unfit:
        yield Problem("refinement.tasks", repr(name), allowed, f"tasks: [{fitting}]")
    if not unfit and not config.refined():
        allowed = "a model with weights and a task of it that is graded without a judge"
        yield Problem(
            "refinement", "nothing to refine", allowed, "(remove the section, or its tasks and models)"
        )
