"""Rule discriminate: the choices of one model among k of its candidates, for each k and in every variant."""

import polars as pl

from selfincorrect.ask import ask
from selfincorrect.digest import digest
from selfincorrect.io import read_provenance, write_table
from selfincorrect.job import job
from selfincorrect.prepare import questions_of
from selfincorrect.prompts import task_prompts
from selfincorrect.provenance import versions
from selfincorrect.running import opened_model
from selfincorrect.selectors import selected_rows
from selfincorrect.tasks import get_task
from selfincorrect.variants import SCHEMA, choice_rows, discrimination_requests, pool_of

with job(snakemake):
    settings, inputs = snakemake.params.slice, snakemake.input
    task, prompts, seed = snakemake.wildcards.task, task_prompts(snakemake.wildcards.task), settings["seed"]
    model = opened_model(snakemake, inputs.model, task)
    grades = pl.read_parquet(inputs.grades) if inputs.get("grades") else None
    pool = pool_of(pl.read_parquet(inputs.candidates), grades)
    everything = questions_of(pl.read_parquet(inputs.dataset))
    questions = [question for question in everything if question.question_id in pool]
    asked = {
        (k, name): discrimination_requests(questions, everything, pool, get_task(task), prompts, variant, k, settings)
        for k in settings["k"]
        for name, variant in settings["variants"].items()
        if variant["selector"] == "choose"
    }
    flat = [request for requests in asked.values() for request in requests]
    what = f"discriminate {model.name} {task}"
    responses = iter(ask(flat, model.store, model.digest, model.mode, model.context, model.engine, what))
    for k, path in zip(settings["k"], snakemake.output, strict=True):
        rows = []
        for name, variant in settings["variants"].items():
            if (k, name) in asked:
                answers = [next(responses) for _ in asked[k, name]]
                rows += choice_rows(name, variant, questions, answers, prompts, k, seed)
            else:
                names = [question.question_id for question in questions]
                rows += selected_rows(name, variant["selector"], pool, names, k, seed)
        write_table(
            path,
            pl.DataFrame(rows, schema=SCHEMA),
            {
                "model": model.provenance,
                "data": read_provenance(inputs.dataset)["data"],
                "prompt": digest(settings["prompts"]),
                "settings": {key: value for key, value in settings.items() if key not in ("code", "k")},
                "versions": versions(),
            },
        )
