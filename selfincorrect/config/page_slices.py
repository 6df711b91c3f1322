"""What tables, figures, the paper's pages and the report depend on: their slices of the configuration.

They are the rules' `params`, as those of `slices` are for the stages before.
"""

from itertools import combinations

from selfincorrect.config.code_digest import ROOT, code_digest
from selfincorrect.config.schema import Config, VariantConfig
from selfincorrect.config.slices import Slice
from selfincorrect.digest import file_sha256
from selfincorrect.discriminate.selectors.registry import asking, free, knows, pointwise, selector_of
from selfincorrect.paper.published import PAPER_K, setting_of
from selfincorrect.pools.kinds import OUTPUTS
from selfincorrect.report.figures import NAMES as FIGURES


def tables(config: Config) -> Slice:
    """Which cells there are, in the configuration's order, and which variants differ in order alone."""
    return {
        "models": list(config.models),
        "tasks": list(config.tasks),
        "k": config.k,
        "variants": list(dict.fromkeys([*config.variants, OUTPUTS, *config.given_scores(), *free()])),
        "reordered": [
            list(pair) for pair in combinations(config.variants, 2) if _same_but_order(config, *pair)
        ],
        "pointwise": [name for name, variant in _named(config).items() if pointwise(variant)],
        "verifying": [
            name
            for name, each in _named(config).items()
            if pointwise(each) and selector_of(each).probable(each)
        ],
        "votes": [name for name, variant in _named(config).items() if selector_of(variant).votes],
        "compared": [name for name, each in _named(config).items() if selector_of(each).compares(each)],
        "knowing": [name for name, variant in _named(config).items() if knows(variant)],
        "contrasts": [each.model_dump(mode="json") for each in config.contrasts],
        "pairs": [list(pair) for pair in config.pairs()],
        "central": [name for name, each in _named(config).items() if selector_of(each).central],
        "undecided": [name for name, each in _named(config).items() if _undecided(each)],
        "parts": {name: list(each.of) for name, each in config.variants.items() if each.of},
        "judged": [list(pair) for pair in config.judged()],
        "refined": [list(pair) for pair in config.refined()],
        "seed": config.seed,
        "prices": _prices(config),
        "parameters": {name: each.parameters for name, each in config.weighted.items() if each.parameters},
        "code": code_digest("report.stage.tables"),
    }


def _named(config: Config) -> dict[str, VariantConfig]:
    """All variants by name, with the rules that stand beside every pool."""
    return {**{name: VariantConfig(selector=name) for name in free()}, **config.variants}


def _undecided(variant: VariantConfig) -> bool:
    """Whether it asks about questions alone whose candidates differ."""
    selector = selector_of(variant)
    return selector.asks and (variant.distinct or (variant.ask or asking(variant).policy) == "undecided")


def _prices(config: Config) -> dict[str, dict[str, float]]:
    return {
        name: model.server.price.told()
        for name, model in config.weighted.items()
        if model.server and model.server.price
    }


def _same_but_order(config: Config, first: str, second: str) -> bool:
    one, other = config.variants[first], config.variants[second]
    return one.order != other.order and one == other.model_copy(update={"order": one.order})


def figures(config: Config) -> Slice:
    return {
        **config.figures.model_dump(mode="json"),
        "published": _published(),
        "code": code_digest(*(f"report.figures.{name}" for name in FIGURES), "report.figures.style"),
    }


def paper(config: Config) -> Slice:
    """Which variant is which setting of the paper, at its k or the largest, and which model is which."""
    defaults = VariantConfig().model_dump(mode="json")
    options = {name: variant.model_dump(mode="json") for name, variant in config.variants.items()}
    settings = {name: setting_of(each, defaults) for name, each in options.items()}
    return {
        "k": PAPER_K if PAPER_K in config.k else max(config.k),
        "settings": {name: setting for name, setting in settings.items() if setting is not None},
        "published": {name: model.published for name, model in config.weighted.items() if model.published},
        "figures": config.figures.model_dump(mode="json"),
        "tables": _published(),
        "code": code_digest(
            "paper.tables", "paper.published", "report.figures.figure9", "report.figures.style"
        ),
    }


def audit(config: Config) -> Slice:
    return {
        **config.figures.model_dump(mode="json"),
        "published": _published(),
        "code": code_digest("paper.audit", "paper.published", "report.figures.audit", "report.figures.style"),
    }


def _published() -> list[str]:
    return [file_sha256(path) for path in sorted((ROOT / "paper").glob("*.csv"))]


def report(config: Config) -> Slice:
    return {
        "seed": config.seed,
        "questions": config.report.questions,
        "viewer": config.report.viewer,
        "pairs": [list(pair) for pair in config.pairs()],
        "pooled": list(config.pooled),
        "prices": _prices(config),
        "page": [file_sha256(path) for path in sorted((ROOT / "report/page/html").iterdir())],
        "code": code_digest(
            "report.page.render", "report.page.gather.gather", "paper.tables.lines", "record.record.record"
        ),
    }
