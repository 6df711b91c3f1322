"""Rule report: one HTML file that opens from disk."""

from pathlib import Path

import polars as pl
import yaml

from selfincorrect import report
from selfincorrect.io import read_json, read_provenance, write_text
from selfincorrect.job import job
from selfincorrect.prepare import questions_of
from selfincorrect.provenance import commit, machine, now, versions


def by_cell(paths: list[str], depth: int) -> dict[tuple[str, str], list[str]]:
    """Paths by (model, task), which stand `depth` folders above the file."""
    cells: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        model, task = Path(path).parts[-depth - 2 : -depth]
        cells.setdefault((model, task), []).append(path)
    return cells


def origin(source: object) -> str:
    """A source of a model or data set in one line."""
    if isinstance(source, dict):
        shown = {k: v for k, v in source.items() if v is not None and k not in ("license", "parts")}
        return ", ".join(f"{key} {value}" for key, value in shown.items())
    return str(source)


with job(snakemake):  # noqa: F821
    inputs, settings = snakemake.input, snakemake.params.slice  # noqa: F821
    metrics = pl.read_parquet(inputs.metrics)
    candidates, grades = by_cell(inputs.candidates, 1), by_cell(inputs.grades, 1)
    choices = {cell: pl.read_parquet(paths) for cell, paths in by_cell(inputs.choices, 2).items()}
    datasets = {Path(path).stem: path for path in inputs.datasets}

    pools, mixed, asked = [], {}, {}
    for cell, paths in candidates.items():
        pool = pl.read_parquet(paths, columns=["question_id", "finish_reason", "tokens_in", "tokens_out"])
        graded = pl.read_parquet(grades[cell])
        spread = graded.group_by("question_id").agg(pl.col("grade").max() > pl.col("grade").min())
        mixed[cell] = set(spread.filter("grade")["question_id"])
        asked[cell] = pool["question_id"].unique(maintain_order=True).to_list()
        pools.append(
            {
                "model": cell[0], "task": cell[1], "candidates": pool.height,
                "without": graded.filter(~pl.col("valid")).height,
                "cut": pool.filter(pl.col("finish_reason") == "length").height,
                "too_long": pool.filter(pl.col("finish_reason") == "context").height,
                "tokens_in": round(pool["tokens_in"].median() or 0),
                "tokens_out": round(pool["tokens_out"].median() or 0),
            }
        )  # fmt: skip

    tasks, questions = [], {}
    for task, path in datasets.items():
        table, source = pl.read_parquet(path), read_provenance(path)
        questions[task] = {question.question_id: question.row() for question in questions_of(table)}
        count = max(len(ids) for (_, name), ids in asked.items() if name == task)
        tasks.append(
            {
                "name": task, "asked": count, "all": table.height, "origin": origin(source["source"]),
                "variants": settings["variants"][task], "data": source["data"],
            }
        )  # fmt: skip

    samples = []
    for model, task, identity in report.sample_cells(
        list(candidates), mixed, asked, settings["questions"], settings["seed"]
    ):
        one = pl.col("question_id") == identity
        sample = report.sample_question(
            questions[task][identity],
            pl.scan_parquet(candidates[model, task]).filter(one).collect(),
            pl.scan_parquet(grades[model, task]).filter(one).collect(),
            choices[model, task].filter(one),
        )
        samples.append({"model": model, "task": task, **sample})

    everything = pl.concat(
        table.select(pl.lit(model).alias("model"), pl.lit(task).alias("task"), pl.all())
        for (model, task), table in choices.items()
    )
    invalid_count, invalid = report.invalid_outputs(everything, settings["seed"])
    rows = metrics.to_dicts()
    manifests = [read_json(path) for path in inputs.manifests]
    write_text(
        snakemake.output[0],  # noqa: F821
        report.render(
            {
                "metrics": rows,
                "numbers": [number for number, row in enumerate(rows, start=1) if row["note"]],
                "findings": report.findings(metrics),
                "figures": [
                    {"data": report.figure_data(path), "path": path, "caption": report.CAPTIONS[Path(path).stem]}
                    for path in inputs.figures if path.endswith(".png")
                ],
                "models": [{**each, "origin": origin(each["source"])} for each in manifests],
                "tasks": tasks,
                "ks": metrics["k"].unique(maintain_order=True).to_list(),
                "variants": metrics["variant"].unique(maintain_order=True).to_list(),
                "pools": pools,
                "samples": samples,
                "invalid_count": invalid_count,
                "choice_count": everything.height,
                "invalid": invalid,
                "time": now(),
                "commit": commit(Path(snakemake.scriptdir)),  # noqa: F821
                "machine": machine(),
                "versions": versions(),
                "seed": settings["seed"],
                "prompts": {
                    f"{stage} {model} {task}": read_provenance(paths[0])["prompt"]
                    for stage, cells in (("generate", candidates), ("discriminate", by_cell(inputs.choices, 2)))
                    for (model, task), paths in cells.items()
                },
                "configuration": yaml.safe_dump(snakemake.config, sort_keys=False, allow_unicode=True),  # noqa: F821
            }
        ),
    )  # fmt: skip
