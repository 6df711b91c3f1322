"""Rule judge: what the judges of a task say of every candidate."""

from dataclasses import replace

import polars as pl

from selfincorrect.grade.judges import SCHEMA, cases, judgements
from selfincorrect.io import read_provenance, write_table
from selfincorrect.jobs.job import job, log
from selfincorrect.jobs.provenance import versions
from selfincorrect.models.ask import ask
from selfincorrect.models.opened import opened_model
from selfincorrect.tasks.base import judges_of
from selfincorrect.tasks.questions import questions_of
from selfincorrect.tasks.registry import get_task

with job(snakemake):
    settings, inputs, wildcards = snakemake.params.slice, snakemake.input, snakemake.wildcards
    task, candidates = get_task(wildcards.task), pl.read_parquet(inputs.candidates)
    questions = questions_of(pl.read_parquet(inputs.dataset))
    rows, judges, opened = [], {}, {}
    for (role, name), manifest in zip(settings["judges"].items(), inputs.judges, strict=True):
        judge = judges_of(task)[role]
        if settings["tokens"] and judge.tokens > 1:
            judge = replace(judge, tokens=settings["tokens"])
        if name not in opened:
            opened[name] = opened_model(
                manifest, f"judge-{wildcards.task}", snakemake.config, snakemake.threads, snakemake.log[0]
            )
        model = opened[name]
        if name == wildcards.model:
            log.warning("%s judges its own answers: its ratings favour them, compare with another judge", name)
        what = f"judge {wildcards.model} {wildcards.task} ({role}: {name})"
        waiting = cases(questions, candidates, role, judge, task)

        def asked(requests, model=model, what=what):
            return ask(requests, model, what)

        found = judgements(waiting, judge, name, settings["seed"], asked, settings["primer"])
        last = {(row["question_id"], row["sample"]): row["reading"] for row in found}
        unread = sum(reading is None for reading in last.values())
        if unread:
            log.warning("%s: %d of %d candidates got no reading and have no grade", what, unread, len(last))
        rows += found
        judges[role] = model.told()
    origin = read_provenance(inputs.candidates)
    write_table(
        snakemake.output[0], pl.DataFrame(rows, schema=SCHEMA), origin | {"judges": judges, "versions": versions()}
    )
