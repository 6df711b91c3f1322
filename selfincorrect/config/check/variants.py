"""What can be wrong with k and with variants."""

from collections.abc import Iterator, Sequence

from selfincorrect.config.problems import Problem
from selfincorrect.config.schema import Config, VariantConfig
from selfincorrect.discriminate.orders import MOST_FOR_ALL
from selfincorrect.discriminate.selectors.registry import asking, free, get_selector, rule
from selfincorrect.engines import registry as engines
from selfincorrect.pools.kinds import OUTPUTS
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.base import numbers_of
from selfincorrect.tasks.templates import task_prompts


def choice_problems(config: Config) -> Iterator[Problem]:
    n = config.sampling.n
    for index, k in enumerate(config.k):
        # A pool from elsewhere has an n of its own, which is checked when it is read.
        if k < 2 or (k > n and config.weighted):
            yield Problem(
                f"k.{index}", str(k), f"2 to n, and n (sampling.n) is {n}", f"sampling: {{n: {max(k, 2)}}}"
            )
        if k in config.k[:index]:
            yield Problem(f"k.{index}", f"{k} a second time", "each k once", f"k: {sorted(set(config.k))}")
    lettered = [name for name, variant in config.variants.items() if variant.labels == "letters"]
    if lettered and max(config.k) > 26:
        yield Problem(
            f"variants.{lettered[0]}.labels",
            f"'letters' for k = {max(config.k)}",
            "k of at most 26, or digits",
            "labels: digits",
        )
    yield from _uncovered_problems(config)
    if asked := list(_discriminator_problems(config)):
        yield from asked
        return  # all else asks the models
    yield from _contrast_problems(config)
    yield from _likelihood_problems(config)
    yield from _scoring_problems(config)
    yield from _score_problems(config)
    for name, variant in config.variants.items():
        yield from _option_problems(name, variant, config)
        for task in variant.tasks or config.tasks:
            if task not in config.tasks:
                allowed = ", ".join(config.tasks)
                yield Problem(
                    f"variants.{name}.tasks",
                    repr(task),
                    f"configured tasks: {allowed}",
                    f"tasks: [{allowed}]",
                )
            elif task in tasks.names():
                yield from _variant_problems(name, variant, task)


def _uncovered_problems(config: Config) -> Iterator[Problem]:
    """Tasks and models without a variant, and variants for models that there are not."""
    for task in config.tasks:
        if not config.variants_of(task):
            yield Problem(
                f"tasks.{task}",
                "no variant for this task",
                "at least one variant without `tasks`, or with it",
                "full: {}",
            )
    named = [(f"variants.{name}.models", variant.models) for name, variant in config.variants.items()]
    named.append(("refinement.models", config.refinement.models if config.refinement else None))
    for key, models in named:
        for model in models or ():
            if model not in config.models:
                allowed = ", ".join(config.models)
                yield Problem(key, repr(model), f"configured models: {allowed}", f"models: [{allowed}]")
    for model, task in config.pairs():
        if not config.variants_of(task, model) and config.variants_of(task):
            paste = "full: {}"
            yield Problem(
                f"models.{model}",
                f"no variant for {task}",
                "at least one variant for each of its tasks",
                paste,
            )


def _discriminator_problems(config: Config) -> Iterator[Problem]:
    """Models that are asked in a variant, and cannot be."""
    able = ", ".join(config.weighted)
    for name, variant in config.variants.items():
        key = f"variants.{name}.discriminator"
        if variant.discriminator and variant.discriminators is not None:
            yield Problem(
                key, "both `discriminator` and `discriminators`", "one of them", "discriminators: all"
            )
        listed = variant.discriminators if isinstance(variant.discriminators, list) else []
        named = [(key, variant.discriminator)] if variant.discriminator else []
        for where, model in named + [(f"{key}s", each) for each in listed]:
            if model not in config.weighted:
                allowed = f"models with weights or a server: {able or 'there is none'}"
                yield Problem(where, repr(model), allowed, f"discriminators: [{able}]")
        if variant.discriminators == []:
            yield Problem(f"{key}s", "an empty list", f"`all`, or some of: {able}", "discriminators: all")
        if len(set(listed)) < len(listed):
            yield Problem(f"{key}s", str(listed), "each model once", f"discriminators: {sorted(set(listed))}")


def _contrast_problems(config: Config) -> Iterator[Problem]:
    known: dict[str, Sequence[str | int]] = {
        "variants": [*config.variants, OUTPUTS, *config.given_scores(), *free()],
        "models": list(config.models),
        "discriminators": list(config.weighted),
        "k": config.k,
    }
    for index, contrast in enumerate(config.contrasts):
        for what, given in contrast.model_dump(exclude_none=True).items():
            key, allowed = f"contrasts.{index}.{what}", ", ".join(map(str, known[what]))
            for unknown in [name for name in given if name not in known[what]]:
                yield Problem(key, repr(unknown), f"configured {what}: {allowed}", f"{what}: [{allowed}]")
            if given[0] == given[1]:
                yield Problem(key, f"{given[0]!r} twice", "two different ones", f"{what}: [{allowed}]")


def _likelihood_problems(config: Config) -> Iterator[Problem]:
    """Servers that are not asked for log-probabilities, which a variant chooses by."""
    for model, task in config.pairs():
        server = config.weighted[model].server if model in config.weighted else None
        if server is None or server.logprobs:
            continue
        for name, variant in config.variants_of(task, model).items():
            own = model in config.discriminators_of(variant, task, model)
            if own and not get_selector(variant.selector).asks and rule(variant).own:
                allowed = f"true: the variant {name} chooses by log-probabilities"
                yield Problem(f"models.{model}.server.logprobs", "false", allowed, "logprobs: true")


def _scoring_problems(config: Config) -> Iterator[Problem]:
    """Models whose engine does not tell how probable options are, which a variant chooses by."""
    able = [name for name in engines.names() if engines.engine_kind(name).options]
    seen: set[tuple[str, str, bool]] = set()
    for generator, task in config.pairs():
        for name, model, variant in config.ways(task, generator):
            if model not in config.weighted or not asking(variant).scoring:
                continue
            engine, server = config.weighted[model].engine, config.weighted[model].server
            if (name, model, asking(variant).continues) in seen:
                continue
            seen.add((name, model, asking(variant).continues))
            if asking(variant).continues:
                yield from _continuing_problems(name, variant, model, engine)
                continue
            if server and not server.logprobs:
                allowed = f"true: the variant {name} chooses by log-probabilities"
                yield Problem(f"models.{model}.server.logprobs", "false", allowed, "logprobs: true")
            if not engines.engine_kind(engine).options:
                allowed = f"{', '.join(able)}: the variant {name} chooses by probabilities of given answers"
                paste = f"{name}: {{selector: {variant.selector}, models: [...]}} to leave {model} out"
                yield Problem(f"models.{model}.engine", repr(engine), allowed, paste)


def _continuing_problems(name: str, variant: VariantConfig, model: str, engine: str) -> Iterator[Problem]:
    """Engines that do not read a given answer with all that follows of it."""
    able = [each for each in engines.names() if engines.engine_kind(each).certainties]
    if engine not in able:
        allowed = f"{', '.join(able)}: the variant {name} reads whole answers and every prediction in them"
        paste = f"{name}: {{selector: {variant.selector}, models: [...]}} to leave {model} out"
        yield Problem(f"models.{model}.engine", repr(engine), allowed, paste)


def _score_problems(config: Config) -> Iterator[Problem]:
    """Scores that came with a pool and have the name of something else."""
    taken = {*config.variants, OUTPUTS, *free()}
    for model, entry in config.pooled.items():
        for task, pool in entry.pools.items():
            for name in [name for name in pool.scores if name in taken]:
                key = f"models.{model}.pools.{task}.scores.{name}"
                yield Problem(
                    key,
                    repr(name),
                    f"a name of its own, not: {', '.join(sorted(taken))}",
                    f"their_{name}: ...",
                )


def _option_problems(name: str, variant: VariantConfig, config: Config) -> Iterator[Problem]:
    """Options of a variant that do not go together, or lack one."""
    key, selector = f"variants.{name}", get_selector(variant.selector)
    if variant.order != "drawn" and variant.orders is not None:
        paste = f"orders: {variant.orders}"
        yield Problem(
            f"{key}.order", repr(variant.order), "nothing beside `orders`, which says it all", paste
        )
    if variant.orders == "all" and max(config.k) > MOST_FOR_ALL:
        allowed = f"k of at most {MOST_FOR_ALL}, or rotations, or a number of permutations"
        yield Problem(f"{key}.orders", f"'all' for k = {max(config.k)}", allowed, "orders: rotations")
    if variant.by == "answer" and (variant.calibrate or variant.aggregate != "mean"):
        allowed = "'candidate': only scores that are never below 0 can be added up"
        yield Problem(f"{key}.by", "'answer'", allowed, "by: candidate")
    if variant.schedule == "knockout" and variant.aggregate != "mean":
        allowed = "nothing beside `knockout`, whose scores are rounds that are survived"
        yield Problem(f"{key}.aggregate", repr(variant.aggregate), allowed, "schedule: swiss")
    if "skill" in selector.options and variant.skill is None:
        yield Problem(f"{key}.skill", "no skill", "a probability from 0 to 1", "skill: 0.2")
    if "of" not in selector.options:
        return
    others = [each for each, one in config.variants.items() if one.of is None and each != name]
    for unknown in [each for each in variant.of or [""] if each not in others]:
        found = repr(unknown) if unknown else "no variants"
        allowed = f"variants that are no ensemble themselves: {', '.join(others)}"
        yield Problem(f"{key}.of", found, allowed, f"of: [{', '.join(others[:2])}]")
    for other in [config.variants[each] for each in variant.of or () if each in others]:
        for what in ("tasks", "models"):
            every = list(getattr(config, what))
            wanted, given = (getattr(one, what) or every for one in (variant, other))
            if missing := [each for each in wanted if each not in given]:
                allowed = f"{what} that all its variants have"
                paste = f"{what}: [{', '.join(each for each in wanted if each in given)}]"
                yield Problem(f"{key}.{what}", ", ".join(missing), allowed, paste)


def _variant_problems(name: str, variant: VariantConfig, task: str) -> list[Problem]:
    ways = list(task_prompts(task).discriminate)
    others = f"{{tasks: [...]}} to leave {task} out"
    selector = get_selector(variant.selector)
    free_options = {"selector", "tasks", "models", *selector.options}
    options = variant.model_dump(exclude_defaults=True, exclude=free_options)
    if options:
        only = f"only {', '.join(sorted(selector.options))}"
        allowed = only if selector.options else "nothing about how candidates are shown"
        return [
            Problem(
                f"variants.{name}.selector",
                f"{variant.selector!r} beside {', '.join(options)}",
                f"{allowed}: {selector.why}",
                f"{name}: {{selector: {variant.selector}}}",
            )
        ]
    if selector.asks and asking(variant).numeric and numbers_of(tasks.get_task(task)) is None:
        able = ", ".join(name for name in tasks.names() if numbers_of(tasks.get_task(name)) is not None)
        return [
            Problem(f"variants.{name}.tasks", task, f"tasks whose questions hold numbers: {able}", others)
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
