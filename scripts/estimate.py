"""Rule estimate: what the configured run will take, before anything is asked."""

from pathlib import Path

import polars as pl

from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
from selfincorrect.io import write_csv
from selfincorrect.jobs.job import job
from selfincorrect.plan import estimate
from selfincorrect.plan.rates import rates
from selfincorrect.tasks.questions import questions_of

with job(snakemake):
    config = check(snakemake.config)
    found = []
    for path in snakemake.input.datasets:
        task = Path(path).stem
        questions = questions_of(pl.read_parquet(path))
        found += estimate.loads(config, task, questions, slices.task_settings(config, task))
    rate = rates(config.run.device, Path("results/bench_gpu.json"))
    table = estimate.estimate(config, found, rate)
    write_csv(snakemake.params.path, table)
    print("\n".join(estimate.summary(config, table, rate)))
