"""Rule discriminate: the choices of one model among k of its candidates, for each k and in every variant."""

import polars as pl

from selfincorrect.digest import digest
from selfincorrect.discriminate.choices import SCHEMA, choice_rows
from selfincorrect.discriminate.selectors import ASKED, selected_rows
from selfincorrect.discriminate.view import View, discriminations
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.ask import UNGREEDY, ask
from selfincorrect.models.opened import opened_model
from selfincorrect.tasks.conversations import joined, joined_pool, pool_of, spread
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

with job(snakemake):
    settings, inputs = snakemake.params.slice, snakemake.input
    name, seed = snakemake.wildcards.task, settings["seed"]
    task, prompts = get_task(name), task_prompts(name)
    model = opened_model(inputs.model, name, snakemake.config, snakemake.threads, snakemake.log[0])
    grades = pl.read_parquet(inputs.grades) if inputs.get("grades") else None
    pool = pool_of(pl.read_parquet(inputs.candidates), grades)
    everything = questions_of(pl.read_parquet(inputs.dataset))
    items = [question for question in everything if question.question_id in pool]
    questions, others, shown = joined(items), joined(everything), joined_pool(items, pool, task)
    views = {
        (k, name): View(task, prompts, variant, k, others, settings)
        for k in settings["k"]
        for name, variant in settings["variants"].items()
        if variant["selector"] in ASKED
    }
    asked = {cell: discriminations(questions, shown, view) for cell, view in views.items()}
    flat = [request for cell in asked.values() for each in cell for request in each.requests]
    answers = iter(ask(flat, model, f"discriminate {model.name} {name}"))
    for k, path in zip(settings["k"], snakemake.output, strict=True):
        rows = []
        for variant, options in settings["variants"].items():
            if (k, variant) in asked:
                cell = asked[k, variant]
                responses = [next(answers) for each in cell for _ in each.requests]
                rows += choice_rows(variant, views[k, variant], cell, responses, 0.0 if model.greedy else UNGREEDY)
            else:
                names = [question.question_id for question in questions]
                rows += selected_rows(variant, options["selector"], shown, names, k, seed)
        write_table(
            path,
            pl.DataFrame(spread(rows, items), schema=SCHEMA),
            {
                "model": model.told(),
                "data": read_provenance(inputs.dataset)["data"],
                "prompt": digest(settings["prompts"]),
                "settings": {key: value for key, value in settings.items() if key not in ("code", "k")},
                "versions": versions(),
            },
        )
