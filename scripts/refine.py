"""Rule refine: answers refined over rounds, and which of two answers the model prefers."""

import polars as pl

from selfincorrect.digest import digest
from selfincorrect.discriminate.view import View
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.ask import ask
from selfincorrect.models.opened import opened_model
from selfincorrect.refine import refinement
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

with job(snakemake):
    settings, inputs, output = snakemake.params.slice, snakemake.input, snakemake.output
    name = snakemake.wildcards.task
    task, prompts, model = (
        get_task(name),
        task_prompts(name),
        opened_model(inputs.model, name, snakemake.config, snakemake.threads, snakemake.log[0]),
    )
    candidates = pl.read_parquet(inputs.candidates).filter(pl.col("sample") == 0).drop_nulls("text")
    first = dict(candidates.select("question_id", "text").iter_rows())
    dataset = pl.read_parquet(inputs.dataset)
    everything = questions_of(dataset)
    questions = [question for question in everything if question.question_id in first]
    refining = refinement.Refining(task, prompts, model.digest, settings)

    def asked(requests):
        return ask(requests, model, f"refine {model.name} {name}")

    rows = refinement.refined(questions, first, refining, asked)
    view = View(task, prompts, settings["variant"], 2, everything, settings)
    chosen = refinement.preferences(questions, rows, view, asked)
    rounds = pl.DataFrame(rows, schema=refinement.ROUNDS_SCHEMA)
    preferred = pl.DataFrame(chosen, schema=refinement.PREFERENCES_SCHEMA)
    names = pl.DataFrame({"model": [model.name], "task": [name]})
    metrics = names.join(refinement.measured(dataset, rounds, preferred, next(iter(task.GRADINGS))), how="cross")
    origin = read_provenance(inputs.candidates) | {"prompt": digest(settings["prompts"]), "versions": versions()}
    for path, table in zip(output, (rounds, preferred, metrics), strict=True):
        write_table(path, table, origin)
