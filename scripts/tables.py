"""Rule tables: the metrics and the picked positions of all cells."""

import polars as pl

from selfincorrect.io import atomic, write_table
from selfincorrect.job import job
from selfincorrect.tables import metrics_table, slots_table

with job(snakemake):
    inputs, output = snakemake.input, snakemake.output
    metrics = metrics_table([pl.read_parquet(path) for path in inputs.metrics], snakemake.params.slice)
    choices: dict[tuple[str, str], list[pl.DataFrame]] = {}
    for path in inputs.choices:
        model, task = path.split("/")[-4:-2]
        part = pl.read_parquet(path, columns=["k", "variant", "order", "chosen_sample"])
        choices.setdefault((model, task), []).append(part)
    slots = slots_table({cell: pl.concat(parts) for cell, parts in choices.items()})
    for name, table in (("metrics", metrics), ("slots", slots)):
        write_table(output[f"{name}_parquet"], table)
        with atomic(output[f"{name}_csv"]) as file:
            table.write_csv(file)
