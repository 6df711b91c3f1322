"""Rule generate: the candidates of one shard of questions."""

import polars as pl

from selfincorrect.digest import digest
from selfincorrect.generate.candidates import count_cut, pool_table, shard_of
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.ask import ask
from selfincorrect.models.opened import opened_model
from selfincorrect.tasks.base import sample_questions
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.templates import task_prompts

with job(snakemake):
    settings, task = snakemake.params.slice, snakemake.wildcards.task
    model = opened_model(snakemake.input.model, task, snakemake.config, snakemake.threads, snakemake.log[0])
    table = pl.read_parquet(snakemake.input.dataset)
    chosen = sample_questions(questions_of(table), settings["limit"], settings["seed"])
    questions = shard_of(chosen, int(snakemake.wildcards.shard), settings["shards"])
    what = f"generate {model.name} {task}"
    pool = pool_table(
        questions, task, task_prompts(task), model.digest, settings, lambda requests: ask(requests, model, what)
    )
    count_cut(pool, settings["sampling"]["max_characters"], what)
    write_table(
        snakemake.output[0],
        pool,
        {
            "model": model.told(),
            "data": read_provenance(snakemake.input.dataset)["data"],
            "prompt": digest(settings["prompts"]),
            "settings": {key: value for key, value in settings.items() if key != "code"},
            "versions": versions(),
        },
    )
