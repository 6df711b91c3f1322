"""The configuration: the one description of what can be set; `config.check` says what is wrong with one.

The JSON schema in `workflow/schemas/` and the page `docs/configuration.md` are generated from these classes.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from selfincorrect.config.model_section import AnyModel, ModelConfig, PooledModelConfig, one_of
from selfincorrect.config.task_section import TaskConfig
from selfincorrect.discriminate.selectors.registry import asking, free, rule, selector_of
from selfincorrect.discriminate.selectors.registry import names as selector_names
from selfincorrect.generate.settings import SamplingConfig
from selfincorrect.models.settings import RunConfig
from selfincorrect.report.wanted import Contrast
from selfincorrect.sections import Section
from selfincorrect.sources.kinds import Source
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.variant import Variant

# An alias is a folder's name in results/ and a Snakemake wildcard: no slash, no dot, no leading dash.
Alias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


SelectorName = Annotated[
    str, AfterValidator(one_of(selector_names())), Field(json_schema_extra={"enum": list(selector_names())})
]


class VariantConfig(Variant):
    selector: SelectorName = Field("choose", description=Variant.model_fields["selector"].description)
    tasks: list[str] | None = Field(None, min_length=1, description="Only for these tasks.")
    models: list[str] | None = Field(None, min_length=1, description="Only for these models.")


def _undecided(variant: Variant) -> bool:
    """Whether a variant asks about undecided questions alone."""
    if not selector_of(variant).asks:
        return False
    return (variant.ask or asking(variant).policy) == "undecided"


def _for_pools(variant: Variant) -> bool:
    """Whether a variant can choose among candidates from elsewhere: by their grades, or by a named model."""
    if variant.discriminator or variant.discriminators:
        return True
    return not selector_of(variant).asks and not rule(variant).own and variant.of is None


class Way(NamedTuple):
    """One way of choosing: a variant, the model that is asked (None: none is), and its options."""

    variant: str
    discriminator: str | None
    options: VariantConfig


class RefinementConfig(Section):
    rounds: int = Field(2, ge=1, le=10, description="Times that an answer is refined.")
    tasks: list[str] | None = Field(
        None, min_length=1, description="Only for these tasks; default: all that are graded without a judge."
    )
    models: list[str] | None = Field(None, min_length=1, description="Only for these models.")


class FiguresConfig(Section):
    dpi: int = Field(200, ge=50, le=1200, description="Resolution of PNG figures.")
    font_size: float = Field(9, ge=5, le=24, strict=False, description="Base font size in points.")


class ReportConfig(Section):
    questions: int = Field(10, ge=0, description="Sample questions shown where scripts are off or on paper.")
    viewer: int = Field(
        20_000,
        ge=0,
        description="Questions at most in the report's viewer, as many of each model and task; fewer where "
        "the page would grow beyond 22 MB. The tables have all.",
    )


class Config(Section):
    """A whole experiment."""

    seed: int = Field(20240404, ge=0, lt=2**53, description="Seed of everything random.")
    models: dict[Alias, AnyModel] = Field(min_length=1, description="Models by alias.")
    tasks: dict[str, TaskConfig] = Field(min_length=1, description="Tasks by name.")
    sampling: SamplingConfig = Field(default_factory=SamplingConfig, description="How candidates are drawn.")
    k: list[int] = Field(
        [4], min_length=1, description="Numbers of candidates to choose among; each from 2 to n."
    )
    variants: dict[Alias, VariantConfig] = Field(
        default_factory=lambda: {"full": VariantConfig()},
        min_length=1,
        description="Ways of asking for the best candidate, by name.",
    )
    refinement: RefinementConfig | None = Field(
        None,
        description="Self-refinement (the paper's Table 5): a model refines its first answer by its own "
        "feedback, then chooses between the earlier and the refined one. Not done unless this section is "
        "there; `refinement: {}` takes the defaults.",
    )
    run: RunConfig = Field(default_factory=RunConfig, description="Speed and place; in no digest.")
    figures: FiguresConfig = Field(default_factory=FiguresConfig, description="Look of the figures.")
    report: ReportConfig = Field(default_factory=ReportConfig, description="The report.")
    contrasts: list[Contrast] = Field(
        default_factory=list,
        description="Comparisons beside the usual ones (every way of choosing with `choose`, with "
        "`likelihood` and with the majority): `{variants: [a, b]}`, `{models: [a, b]}`, "
        "`{discriminators: [m, n]}` or `{k: [2, 4]}`.",
    )
    include: list[str] = Field(
        default_factory=list,
        description="Modules of tasks of your own, `mine.py` with its prompts beside it in `mine.yaml` "
        "(docs/adding/task.md): they are code that is run.",
    )
    audit: dict[Alias, str] = Field(
        default_factory=dict,
        description="Published tables to audit beside the paper's, by name: CSV files with the columns of "
        "`selfincorrect/paper/table2.csv`.",
    )

    # Every job of a graph asks for these, so they are gathered once. A section is frozen: they stay true.
    @cached_property
    def weighted(self) -> dict[str, ModelConfig]:
        """The models that have weights to run."""
        return {name: model for name, model in self.models.items() if isinstance(model, ModelConfig)}

    @cached_property
    def pooled(self) -> dict[str, PooledModelConfig]:
        """The models that are pools from elsewhere."""
        return {name: model for name, model in self.models.items() if isinstance(model, PooledModelConfig)}

    def pairs(self) -> list[tuple[str, str]]:
        """Every (model, task) that is measured."""
        return [(model, task) for model in self.models for task in self.tasks if task in self.tasks_of(model)]

    def tasks_of(self, model: str) -> list[str]:
        """The tasks of a model: those it names (by default all), or those it has pools for."""
        entry = self.models[model]
        if isinstance(entry, PooledModelConfig):
            return list(entry.pools)
        return list(self.tasks) if entry.tasks is None else entry.tasks

    def variants_of(self, task: str, model: str | None = None) -> dict[str, VariantConfig]:
        """The variants that `task` is measured with (on `model`), by name.

        For a model of pools they are the rules that need no model, and those that say which is asked.
        """
        chosen = {
            name: variant
            for name, variant in self.variants.items()
            if (variant.tasks is None or task in variant.tasks)
            and (model is None or variant.models is None or model in variant.models)
        }
        if model not in self.pooled:
            return chosen
        rules = {name: VariantConfig(selector=name) for name in free()}
        return rules | {name: variant for name, variant in chosen.items() if _for_pools(variant)}

    def given_scores(self) -> list[str]:
        """The names of the scores that come with pools."""
        pools = [pool for entry in self.pooled.values() for pool in entry.pools.values()]
        return list(dict.fromkeys(name for pool in pools for name in pool.scores))

    def discriminators_of(self, variant: Variant, task: str, model: str) -> list[str]:
        """The models that a variant asks about the pool of `model`: by default itself."""
        if variant.discriminators == "all":
            return [name for name in self.weighted if task in self.tasks_of(name)]
        named = [variant.discriminator] if variant.discriminator else variant.discriminators
        return [model] if named is None else list(named)

    def ways(self, task: str, model: str) -> list[Way]:
        """Every way of choosing among the candidates of `model`, variants in their order.

        Where another model is asked, the way's variant has it as its `discriminator`.
        """
        found = []
        for name, variant in self.variants_of(task, model).items():
            for asked in self.discriminators_of(variant, task, model):
                other = None if asked == model else asked
                options = variant.model_copy(update={"discriminator": other, "discriminators": None})
                asks = selector_of(options).asks
                found.append(Way(name, asked if asks else None, options))
        return found

    def asked(self, task: str, model: str, discriminator: str) -> dict[str, VariantConfig]:
        """The variants in which `discriminator` is asked about the candidates of `model`, by name."""
        return {
            way.variant: way.options for way in self.ways(task, model) if way.discriminator == discriminator
        }

    def rules(self, task: str, model: str) -> dict[str, VariantConfig]:
        """The variants that choose among the candidates of `model` and ask nothing, by name."""
        return {way.variant: way.options for way in self.ways(task, model) if way.discriminator is None}

    def discriminators(self, task: str, model: str) -> list[str]:
        """The models that are asked about the candidates of `model`."""
        named = [way.discriminator for way in self.ways(task, model) if way.discriminator is not None]
        return list(dict.fromkeys(named))

    def needs_grades(self, task: str, variants: Mapping[str, Variant]) -> bool:
        """Whether choices wait for grades: wrong candidates are simplified, or a selector needs them."""
        # Answers that a judge grades have no normal form to wait for.
        formed = not self.tasks[task].judges
        return any(
            each.distractors == "easy"
            or selector_of(each).graded
            or (formed and (each.distinct or each.by == "answer" or _undecided(each)))
            for each in variants.values()
        )

    @property
    def refinable(self) -> list[str]:
        """The tasks that are graded without a judge."""
        unjudged = [name for name, task in self.tasks.items() if not task.judges]
        return [name for name in unjudged if tasks.get_task(name).GRADINGS]

    def refined(self) -> list[tuple[str, str]]:
        """Every (model, task) whose answers are refined: of a model with weights, graded without a judge."""
        if self.refinement is None:
            return []
        chosen, named = self.refinement.tasks or self.refinable, self.refinement.models or self.models
        models = [model for model in named if model in self.weighted]
        return [(model, task) for model, task in self.pairs() if model in models and task in chosen]

    def judged(self) -> list[tuple[str, str]]:
        """Every (model, task) whose answers judges rate."""
        return [(model, task) for model, task in self.pairs() if self.tasks[task].judges]

    def task_source(self, task: str) -> Source:
        """Where the data of `task` comes from."""
        sources = tasks.get_task(task).SOURCES
        source = self.tasks[task].source or next(iter(sources))
        return sources[source] if isinstance(source, str) else source
