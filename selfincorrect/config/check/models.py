"""What can be wrong with models: names, sources, servers, pools from elsewhere."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from selfincorrect.config.model_section import ModelConfig
from selfincorrect.config.problems import Problem
from selfincorrect.config.schema import Config
from selfincorrect.engines.kind import EngineKind
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.registry import engine_kind
from selfincorrect.paper.published import PAPER_TABLES, model_names
from selfincorrect.pools.kinds import FlatPool
from selfincorrect.sources.catalog import PREFIX as CATALOG_PREFIX
from selfincorrect.sources.catalog import catalog
from selfincorrect.sources.kinds import is_folder, is_gguf

# The folders in results/ that are no model's.
RESERVED = ("store", "logs", "benchmarks", "tables", "figures", "paper")


def alias_problems(config: Config) -> Iterator[Problem]:
    allowed = f"another name: {', '.join(RESERVED)} are folders of results/"
    for alias in config.models:
        if alias.lower() in RESERVED:
            yield Problem(f"models.{alias}", repr(alias), allowed, f"{alias}-model: …")
    for section in ("models", "variants"):
        seen: dict[str, str] = {}
        for alias in getattr(config, section):
            other = seen.setdefault(alias.lower(), alias)
            if other != alias:
                yield Problem(
                    f"{section}.{alias}",
                    f"{alias!r} beside {other!r}",
                    "aliases that differ in more than case: each is a folder's name",
                    f"{alias}-2: …",
                )


def _reasoning_problems(key: str, model: ModelConfig, kind: EngineKind) -> Iterator[Problem]:
    """What is said of reasoning and means nothing to this model."""
    told = model.reasoning or ReasoningConfig()
    if told.effort is not None and not kind.served:
        allowed = "none: effort is a server's; in this process there is `budget`"
        yield Problem(f"{key}.reasoning.effort", repr(told.effort), allowed, "budget: 2048")
    if told.thinking is not None and model.prompt != "chat":
        allowed = "none: it is the chat template's, and prompts are completions"
        yield Problem(f"{key}.reasoning.thinking", str(told.thinking).lower(), allowed, "prompt: chat")
    if told.budget and told.tags and told.tags[1] not in told.close:
        allowed = f"a text with the closing tag {told.tags[1]}"
        yield Problem(f"{key}.reasoning.close", repr(told.close), allowed, f'close: "\\n{told.tags[1]}\\n"')


def model_problems(config: Config) -> Iterator[Problem]:
    for alias, model in config.weighted.items():
        key, source = f"models.{alias}", model.source
        yield from _tasks_and_server_problems(key, model, config)
        kind = engine_kind(model.engine)
        if model.reasoning:
            yield from _reasoning_problems(key, model, kind)
        if kind.served:
            continue
        on_hub = isinstance(source, str) and not source.startswith(CATALOG_PREFIX) and not is_folder(source)
        if model.revision is not None and (not on_hub or kind.source == "file"):
            yield Problem(
                f"{key}.revision",
                repr(model.revision),
                "none: only hub ids have revisions",
                "(remove the line)",
            )
        if model.adapter and (
            not kind.in_process or not (Path(model.adapter).expanduser() / "adapter_config.json").is_file()
        ):
            allowed = "a folder with adapter_config.json, with `engine: transformers`"
            yield Problem(f"{key}.adapter", repr(model.adapter), allowed, "")
        if not isinstance(source, str):
            continue
        if source.startswith(CATALOG_PREFIX) and kind.in_process:
            name = source.removeprefix(CATALOG_PREFIX)
            if name not in catalog():
                known = ", ".join(CATALOG_PREFIX + each for each in catalog())
                yield Problem(f"{key}.source", repr(source), known, f"source: {known.split(', ')[0]}")
        elif kind.source == "file" or is_folder(source):
            path = Path(source).expanduser()
            wanted = "a file" if kind.source == "file" else "a GGUF file, or a folder with config.json,"
            file = kind.source == "file" or is_gguf(source)
            there = path.is_file() if file else (path / "config.json").is_file()
            if not there and (path / "adapter_config.json").is_file():
                wanted = "the model that this adapter goes on; the adapter itself under `adapter`: a model"
            if not there:
                yield Problem(f"{key}.source", f"{source!r} ({path.absolute()})", f"{wanted} that exists", "")
        elif source.count("/") != 1 or not all(source.split("/")) or ".." in source:
            yield Problem(
                f"{key}.source",
                repr(source),
                "owner/name on the hub, a path that begins with / ./ or ~, or catalog:<name>",
                "source: HuggingFaceTB/SmolLM2-135M-Instruct",
            )
        elif model.revision is None:
            yield Problem(
                f"{key}.revision",
                "nothing",
                "a commit of the hub repository (or a tag or branch)",
                "revision: main",
            )


def _tasks_and_server_problems(key: str, model: ModelConfig, config: Config) -> Iterator[Problem]:
    for task in model.tasks or ():
        if task not in config.tasks:
            allowed = f"the tasks of this experiment: {', '.join(config.tasks)}"
            yield Problem(f"{key}.tasks", repr(task), allowed, f"tasks: [{', '.join(config.tasks)}]")
    served = engine_kind(model.engine).served
    if served and model.server is None:
        paste = "server: {url: 'http://127.0.0.1:8000/v1'}"
        yield Problem(
            f"{key}.server", "nothing", "where the model is served: url, and key for a hosted one", paste
        )
    if not served and model.server is not None:
        allowed = "none: only `engine: openai` has a server"
        yield Problem(f"{key}.server", f"a server, with engine: {model.engine}", allowed, "engine: openai")
    if served and not isinstance(model.source, str):
        yield Problem(
            f"{key}.source", "packages", "the model's id at the server", "source: gpt-4-turbo-2024-04-09"
        )


def published_problems(config: Config) -> Iterator[Problem]:
    for alias, model in config.weighted.items():
        if model.published is not None and model.published not in model_names():
            close = difflib.get_close_matches(model.published, model_names(), n=1, cutoff=0) or model_names()
            allowed = f"a model of the paper: {', '.join(model_names())}"
            yield Problem(
                f"models.{alias}.published", repr(model.published), allowed, f"published: {close[0]}"
            )


def pool_problems(config: Config) -> Iterator[Problem]:
    files = [
        (f"models.{alias}.pools.{task}", pool.path)
        for alias, model in config.pooled.items()
        for task, pool in model.pools.items()
    ]
    files += [(f"audit.{name}", path) for name, path in config.audit.items()]
    for key, path in files:
        if not Path(path).expanduser().is_file():
            wanted = "a file that exists"
            yield Problem(key, str(Path(path).expanduser().absolute()), wanted, "")
    for alias, model in config.pooled.items():
        for task, pool in model.pools.items():
            key = f"models.{alias}.pools.{task}"
            if task not in config.tasks:
                allowed = f"the tasks of this experiment: {', '.join(config.tasks)}"
                yield Problem(key, repr(task), allowed, f"tasks: {{{task}: {{}}}}")
            if (
                isinstance(pool, FlatPool)
                and pool.grades is not None
                and len(pool.grades) != len(pool.answers)
            ):
                found = f"{len(pool.grades)} columns for {len(pool.answers)} answers"
                paste = f"grades: [{', '.join(f'{answer}_correct' for answer in pool.answers)}]"
                yield Problem(f"{key}.grades", found, "one for each answer", paste)
            if isinstance(pool, FlatPool) and len(set(pool.answers)) < len(pool.answers):
                yield Problem(
                    f"{key}.answers", str(pool.answers), "each column once", "answers: [answer1, answer2]"
                )
            if isinstance(pool, FlatPool) and pool.outputs and len(pool.answers) not in config.k:
                found = f"outputs over {len(pool.answers)} answers, and k: {config.k}"
                paste = f"k: {sorted({*config.k, len(pool.answers)})}"
                yield Problem(f"{key}.outputs", found, "a k that is the number of answers shown", paste)
            if pool.outputs and pool.outputs.pattern:
                yield from pattern_problems(f"{key}.outputs.pattern", pool.outputs.pattern)
    for name in PAPER_TABLES:
        if name in config.audit:
            yield Problem(
                f"audit.{name}", repr(name), "another name: this is the paper's", "audit: {mine: …}"
            )


def pattern_problems(key: str, pattern: str) -> list[Problem]:
    """What is wrong with a regular expression that must have one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return [Problem(key, repr(pattern), f"a regular expression ({error})", r"pattern: '### *(\d+)'")]
    if groups != 1:
        return [Problem(key, f"{groups} groups", "one group, around the label", r"pattern: '### *(\d+)'")]
    return []
