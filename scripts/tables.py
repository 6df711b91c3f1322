"""Rule tables: everything over all cells."""

from pathlib import Path

import polars as pl

from selfincorrect.io import write_csv, write_table
from selfincorrect.jobs.job import job
from selfincorrect.report import tables

with job(snakemake):
    inputs, output, settings = snakemake.input, snakemake.output, snakemake.params.slice
    grades = {Path(path).parts[-3:-1]: pl.read_parquet(path) for path in inputs.grades}
    choices: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    for path in inputs.choices:
        columns = ["question_id", "asked", "k", "variant", "selector", "order", "chosen_sample", "valid"]
        choices.setdefault(Path(path).parts[-4:-2], []).append(pl.read_parquet(path, columns=columns))
    chosen = {cell: pl.concat(parts) for cell, parts in choices.items()}
    clusters = {Path(path).stem: pl.read_parquet(path, columns=["question_id", "cluster"]) for path in inputs.datasets}
    metrics, gradings = (
        tables.in_order(pl.concat(map(pl.read_parquet, paths), how="diagonal_relaxed"), settings)
        for paths in (inputs.metrics, inputs.gradings)
    )
    scored = set(metrics.filter(pl.col("unit") == "grade")["task"])
    made = {
        "metrics": tables.with_adjusted(metrics),
        "gradings": gradings,
        "grading_differences": tables.differences_table(grades),
        "pass_at": tables.pass_table(grades, clusters, scored),
        "slots": tables.slots_table(chosen),
        "flips": tables.flips_table(chosen, settings["pairs"]),
    }
    for name, table in made.items():
        write_table(output[f"{name}_parquet"], table)
        write_csv(output[f"{name}_csv"], table)
