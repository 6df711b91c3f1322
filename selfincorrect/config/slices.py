"""What each stage depends on: its slice of the configuration, its prompts and a digest of its code.

These are the rules' `params`. A stage is made again when its slice changes and at no other time, so a colour
changes the figures, a new variant costs that variant alone, and throughput (the `run` section) changes
nothing.
"""

from collections.abc import Sequence
from typing import Any

from selfincorrect.config.code_digest import code_digest
from selfincorrect.config.model_section import ModelConfig
from selfincorrect.config.schema import Config, VariantConfig
from selfincorrect.config.task_settings import task_settings
from selfincorrect.digest import digest, file_sha256
from selfincorrect.discriminate.selectors.registry import BUILT_IN, GROUP, asking
from selfincorrect.engines import registry as engines
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.plugins import origin
from selfincorrect.pools.kinds import FlatPool
from selfincorrect.sandbox.sandbox import INSIDE
from selfincorrect.sources.catalog import PREFIX as CATALOG_PREFIX
from selfincorrect.sources.catalog import catalog
from selfincorrect.sources.kinds import PackagedFile, packaged_path
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.base import scored
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import replies, task_prompts

Slice = dict[str, Any]


def prepare_model(config: Config, model: str) -> Slice:
    entry = config.weighted[model]
    # Where and how fast a server answers does not change its model.
    unread = {"tasks", "published", "gpus", "server", "parameters", "greedy", "reasoning"}
    settings = entry.model_dump(mode="json", exclude=unread)
    if settings["adapter"] is None:
        del settings["adapter"]
    prepared = [f"{engines.BUILT_IN[entry.engine]}.prepare"] if entry.engine in engines.BUILT_IN else []
    name = str(settings["source"]).removeprefix(CATALOG_PREFIX)
    return {
        **settings,
        "key": entry.server.key if entry.server else None,
        "logprobs": entry.server.logprobs if entry.server else None,
        **_reasoning(entry),
        "catalog": catalog()[name].model_dump(mode="json") if name in catalog() else None,
        **({} if prepared else {"plugins": {entry.engine: origin(engines.GROUP, entry.engine)}}),
        "code": code_digest("models.prepare.prepare_model", *prepared),
    }


def _reasoning(entry: ModelConfig) -> Slice:
    """What a server's calls, or a template, say beside: as configured for it, and of reasoning."""
    told = entry.reasoning or ReasoningConfig()
    body = {**told.body(), **entry.server.body} if entry.server else {}
    template = {} if entry.server else told.template()
    return {key: value for key, value in (("body", body), ("template", template)) if value}


def prepare_dataset(config: Config, task: str) -> Slice:
    source = config.task_source(task)
    packaged = file_sha256(packaged_path(source)) if isinstance(source, PackagedFile) else None
    return {
        "source": source.model_dump(mode="json"),
        "packaged_sha256": packaged,
        **_code("tasks.questions.run", task=task),
    }


def _code(
    *roots: str, task: str | None = None, models: Sequence[ModelConfig] = (), selectors: Sequence[str] = ()
) -> Slice:
    """The digest of the code of a stage.

    It is that of its `roots`, and of the task, the engines of `models` and the selectors that it works with.
    What is of another package is known by its version.
    """
    names = sorted({model.engine for model in models})
    own = [f"{engines.BUILT_IN[name]}.open_engine" for name in names if name in engines.BUILT_IN]
    own += [f"discriminate.selectors.{name}" for name in selectors if name in BUILT_IN]
    others = {name: origin(engines.GROUP, name) for name in names if name not in engines.BUILT_IN}
    others |= {name: origin(GROUP, name) for name in selectors if name not in BUILT_IN}
    described = None if task is None else tasks.description(task)
    if described is not None:
        own, task = [*own, *_described_by(described)], None
        described = {
            key: value for key, value in described.items() if key not in ("about", "paper", "sources")
        }
    if task in tasks.included():
        path = tasks.included()[task]
        others[task] = digest([file_sha256(each) for each in (path, path.with_suffix(".yaml"))])
        task = None
    if task is not None and task not in tasks.BUILT_IN:
        others[task], task = origin(tasks.GROUP, task), None
    told = {"plugins": others} if others else {}
    told |= {} if described is None else {"described": described}
    return {**told, "code": code_digest(*roots, *own, task=task)}


def _described_by(told: Slice) -> list[str]:
    """The code of a task that is described: what is found by its name is reached by none."""
    grade = told.get("grade", "aliases")
    own = ["tasks.described.DescribedTask", f"tasks.answers.{grade}"]
    own += [f"sandbox.inside.{name}" for name in INSIDE if grade in ("code", "program")]
    made = [each["generator"] for each in told.get("sources", {}).values() if "generator" in each]
    return own + [f"tasks.puzzles.{name}" for name in made]


def _asking(config: Config, *models: str, greedily: bool = True) -> Slice:
    """What else shapes the answers of `models`, where it is not as usual.

    That is which missing answers are asked for again, which models draw what is asked `greedily` all the
    same, and how thoughts are bounded.
    """
    entries = {model: config.weighted[model] for model in models}
    drawn = [model for model, entry in entries.items() if greedily and not entry.greedy]
    thinking = {
        model: entry.reasoning.model_dump(include={"budget", "close", "tags"})
        for model, entry in entries.items()
        if entry.reasoning and (entry.reasoning.budget or entry.reasoning.tags)
    }
    told = (("retry", config.run.retry), ("drawn", drawn), ("reasoning", thinking))
    return {key: value for key, value in told if value}


def generate(config: Config, model: str, task: str) -> Slice:
    prompts, settings = task_prompts(task).data(), task_settings(config, task)
    demonstrations = [
        [shown["question"], shown["follow_up"], shown["right"]["text"], shown["right"]["follow_up"]]
        for shown in prompts["demonstrations"][: settings.shots]
    ]
    return {
        "seed": config.seed,
        "sampling": config.sampling.model_dump(mode="json"),
        **settings.model_dump(include={"limit", "shots", "answer_tokens"}),
        "shards": config.tasks[task].shards,
        **_asking(config, model, greedily=False),
        "prompts": {"generate": prompts["generate"], "demonstrations": demonstrations},
        **_code("generate.stage.run", task=task, models=[config.weighted[model]]),
    }


def import_pool(config: Config, model: str, task: str) -> Slice:
    return {
        "seed": config.seed,
        "limit": config.tasks[task].limit,
        "k": config.k,
        "max_characters": config.sampling.max_characters,
        "pool": config.pooled[model].pools[task].model_dump(mode="json"),
        **_code("pools.stage.run", task=task),
    }


def select(config: Config, model: str, task: str) -> Slice:
    """The rules that choose without a model, and all ways of choosing in their order."""
    rules = config.rules(task, model)
    selectors = sorted({variant.selector for variant in rules.values()})
    return {
        "seed": config.seed,
        "k": config.k,
        "rules": {name: _options(variant) for name, variant in rules.items()},
        "ways": [way[:2] for way in config.ways(task, model)],
        **_code("discriminate.stage.select", task=task, selectors=selectors),
    }


def grade(config: Config, model: str, task: str) -> Slice:
    pool = config.pooled[model].pools[task] if model in config.pooled else None
    return {
        "texts": pool.texts if isinstance(pool, FlatPool) else "solution",
        **_code("grade.stage.run", task=task),
    }


def judge(config: Config, task: str) -> Slice:
    """Who judges the candidates of a task; the judges' models are inputs."""
    judges = config.tasks[task].raters
    return {
        "seed": config.seed,
        "judges": judges,
        "tokens": config.tasks[task].judge_tokens,
        "primer": config.tasks[task].judge_primer,
        "ratings": config.tasks[task].ratings,
        **_asking(config, *judges.values()),
        **_code("grade.stage.judge", task=task, models=[config.weighted[model] for model in judges.values()]),
    }


def discriminate(config: Config, model: str, task: str, discriminator: str) -> Slice:
    """What `discriminator` is asked about the candidates of `model`."""
    prompts, settings = task_prompts(task), task_settings(config, task)
    variants = config.asked(task, model, discriminator)
    selectors, asked = sorted({variant.selector for variant in variants.values()}), variants.values()
    continues = any(asking(variant).continues for variant in asked)
    drawn = {"drawing" for variant in asked if asking(variant).samples(variant) > 1}
    forms = sorted({prompts.shown_as(variant) for variant in asked})
    data = prompts.data()
    shots = settings.shots * max((variant.shots for variant in asked), default=0)
    return {
        "seed": config.seed,
        "k": config.k,
        "variants": {name: _options(variant) for name, variant in variants.items()},
        "shards": config.tasks[task].shards,
        **_asking(config, discriminator),
        **settings.model_dump(include={"shots", "choice_tokens", "answer_tokens", *drawn}),
        "prompts": {
            "discriminate": {form: data["discriminate"][form] for form in forms},
            "replies": replies().model_dump(mode="json"),
            "demonstrations": data["demonstrations"][:shots],
            **({"generate": data["generate"]} if continues else {}),
        },
        **_code(
            "discriminate.stage.run", task=task, models=[config.weighted[discriminator]], selectors=selectors
        ),
    }


def _options(variant: VariantConfig) -> Slice:
    return variant.model_dump(mode="json", exclude={"tasks", "models"})


def refine(config: Config, model: str, task: str) -> Slice:
    assert config.refinement is not None
    prompts, settings = task_prompts(task), task_settings(config, task)
    return {
        "seed": config.seed,
        "rounds": config.refinement.rounds,
        "sampling": config.sampling.model_dump(mode="json", exclude={"n"}),
        "variant": _options(VariantConfig()),
        **_asking(config, model),
        **settings.model_dump(include={"shots", "choice_tokens", "answer_tokens"}),
        "prompts": {**prompts.data(), "replies": replies().model_dump(mode="json")},
        **_code("refine.stage.run", task=task, models=[config.weighted[model]], selectors=["choose"]),
    }


def measure(config: Config, task: str) -> Slice:
    return {
        "seed": config.seed,
        "unit": "grade" if scored(get_task(task)) else "percent",
        "code": code_digest("measure.stage.run"),
    }
