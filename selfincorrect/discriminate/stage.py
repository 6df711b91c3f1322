"""Rule discriminate: the choices of one model among k of its candidates, for each k and in every variant."""

from typing import Any

import polars as pl

from selfincorrect.discriminate.choices import COLUMNS, SCHEMA, choice_rows, selected_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.selectors.registry import get_selector
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.models.ask import UNGREEDY, OpenedModel, ask
from selfincorrect.tasks.conversations import joined, joined_pool, pool_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

__all__ = ["COLUMNS", "Settings", "run"]


class Settings(AskingSettings):
    """What the stage is told: numbers of candidates, and variants by name."""

    k: list[int]
    variants: dict[str, Variant]


def run(
    dataset: pl.DataFrame,
    candidates: pl.DataFrame,
    grades: pl.DataFrame | None,
    task: str,
    model: OpenedModel,
    settings: Settings,
) -> dict[int, pl.DataFrame]:
    """Rows of `choices.SCHEMA`, a row an item and variant, for each k.

    All variants and numbers of candidates are asked about together. `grades` are needed where distractors are
    simplified or a rule needs them.
    """
    pool, everything = pool_of(candidates, grades), questions_of(dataset)
    module, prompts = get_task(task), task_prompts(task)
    items = [question for question in everything if question.question_id in pool]
    questions, others, shown = joined(items), joined(everything), joined_pool(items, pool, module)
    views = {
        (k, variant): View(module, prompts, options, k, others, settings)
        for k in settings.k
        for variant, options in settings.variants.items()
        if get_selector(options.selector).asks
    }
    asked = {cell: discriminations(questions, shown, view) for cell, view in views.items()}
    wanted = [request for cell in asked.values() for each in cell for request in each.requests]
    answers = iter(ask(wanted, model, f"discriminate {model.name} {task}"))
    tables = {}
    for k in settings.k:
        rows: dict[str, list[dict[str, Any]]] = {}
        # Variants that rank others come after them.
        for variant, options in sorted(settings.variants.items(), key=lambda each: bool(each[1].of)):
            if (k, variant) in asked:
                cell = asked[k, variant]
                responses = [next(answers) for each in cell for _ in each.requests]
                temperature = 0.0 if model.greedy else UNGREEDY
                rows[variant] = choice_rows(variant, views[k, variant], shown, cell, responses, temperature)
            else:
                names = [question.question_id for question in questions]
                ranked = [row for other in options.of or () for row in rows[other]]
                rows[variant] = selected_rows(variant, options, shown, names, k, settings.seed, ranked)
        ordered = [row for variant in settings.variants for row in rows[variant]]
        tables[k] = pl.DataFrame(spread(ordered, items), schema=SCHEMA)
    return tables
