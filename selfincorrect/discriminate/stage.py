"""Rules discriminate and select: choices among k candidates, by models that are asked and by rules."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from selfincorrect.columns import WAY
from selfincorrect.discriminate.choices import COLUMNS, SCHEMA, choice_rows, named, selected_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.rounds import answered
from selfincorrect.discriminate.selectors.base import Scores
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.models.ask import UNGREEDY, OpenedModel, ask
from selfincorrect.sections import StageSettings
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import joined, joined_pool, pool_of, shard_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

__all__ = ["COLUMNS", "SCHEMA", "SelectSettings", "Settings", "run", "select"]


class Settings(AskingSettings):
    """What discriminate is told: numbers of candidates, variants by name, and in how many shards."""

    k: list[int]
    variants: dict[str, Variant]
    shards: int = 1


class SelectSettings(StageSettings):
    """What select is told: variants whose rules ask no model, and all ways of choosing in their order."""

    seed: int
    k: list[int]
    rules: dict[str, Variant]
    ways: list[tuple[str, str | None]]


def run(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    grades: pl.DataFrame | None,
    task: str,
    model: OpenedModel,
    settings: Settings,
    shard: int = 0,
) -> pl.DataFrame:
    """Rows of `choices.SCHEMA`: what `model` chooses about the questions of a shard, a row an item, k and
    variant.

    All variants and numbers of candidates are asked about together, and so are questions of other shards
    where a variant learns from them. `grades` are needed where distractors are simplified or normal forms
    count.
    """
    pool, everything = pool_of(candidates, grades), questions_of(dataset)
    module, prompts = get_task(task), task_prompts(task)
    items = [question for question in everything if question.question_id in pool]
    mine = shard_of(items, shard, settings.shards)
    names = {question.question_id for question in joined(mine)}
    questions, others, shown = joined(items), joined(everything), joined_pool(items, pool, module)
    views = {
        (k, variant): View(module, prompts, options, k, others, settings)
        for k in settings.k
        for variant, options in settings.variants.items()
    }
    asked = {
        cell: [
            each
            for each in discriminations(questions, shown, view)
            if each.question.question_id in names or asking(view.variant).teaches(view, each)
        ]
        for cell, view in views.items()
    }
    told = answered(asked, views, partial(ask, model=model, what=f"discriminate {model.name} {task}"))
    temperature = 0.0 if model.greedy else UNGREEDY
    rows: list[dict[str, Any]] = []
    for key, cell in told.items():
        made = choice_rows(key[1], views[key], shown, cell, temperature, model.name)
        rows += [row for row in made if row["question_id"] in names]
    return pl.DataFrame(spread(rows, mine), schema=SCHEMA)


def select(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    grades: pl.DataFrame | None,
    asked: pl.DataFrame,
    task: str,
    settings: SelectSettings,
) -> dict[int, pl.DataFrame]:
    """Rows of `choices.SCHEMA` for each k: what models chose when they were `asked`, here or elsewhere, and
    what rules choose.
    """
    pool = pool_of(candidates, grades)
    items = [question for question in questions_of(dataset) if question.question_id in pool]
    shown = joined_pool(items, pool, get_task(task))
    place = {tuple(way): number for number, way in enumerate(settings.ways)}
    tables = {}
    for k in settings.k:
        chosen = asked.filter(pl.col("k") == k)
        rows: list[dict[str, Any]] = []
        # Variants that rank others come after them.
        for name, variant in sorted(settings.rules.items(), key=lambda each: bool(each[1].of)):
            ranked = _ranked([chosen, _table(rows, items)], variant.of) if variant.of else {}
            rows += selected_rows(name, variant, shown, list(shown), k, settings.seed, ranked)
        table = pl.concat([chosen, _table(rows, items)])
        order = [place.get(way, -1) for way in table.select(WAY).iter_rows()]
        tables[k] = table[sorted(range(table.height), key=order.__getitem__)]
    return tables


def _table(rows: Sequence[Mapping[str, Any]], items: Sequence[Question]) -> pl.DataFrame:
    return pl.DataFrame(spread(rows, items), schema=SCHEMA)


def _ranked(tables: Sequence[pl.DataFrame], variants: Sequence[str]) -> dict[str, list[Scores]]:
    """The scores that the ways of `variants` give, by question, or conversation where it shares a choice."""
    found: dict[str, dict[tuple[str, str | None], Scores]] = {}
    for table in tables:
        chosen = named(table.filter(pl.col("variant").is_in(list(variants))))
        for question, *way, scores in chosen.select("asked", *WAY, "scores").iter_rows():
            found.setdefault(question, {})[way[0], way[1]] = scores
    return {question: list(each.values()) for question, each in found.items()}
