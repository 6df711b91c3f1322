"""Where the time of a run went, from the benchmarks that Snakemake writes and what the engines wrote
beside the logs.
"""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.io import read_json

SCHEMA = {
    "rule": pl.String,
    "jobs": pl.Int64,
    "seconds": pl.Float64,  # of wall time, over all jobs
    "answering": pl.Float64,  # seconds in which a model answered
    "fixed": pl.Float64,  # the rest: starting Python, loading a model, reading and writing tables
    "answers": pl.Int64,
    "tokens_out": pl.Int64,
    "mebibytes": pl.Float64,  # of the largest job; null where all were too short to be looked at
}


def costs(results: Path) -> pl.DataFrame:
    """A row of SCHEMA for each rule, the longest first, as far as `results/benchmarks` tells. Jobs count
    as last run.
    """
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(results.glob("benchmarks/*/**/*.tsv")):
        place = path.relative_to(results / "benchmarks")
        row = pl.read_csv(path, separator="\t", infer_schema=False, n_rows=1).row(0, named=True)
        asked = _answering(results / "logs" / place)
        memory = row["max_rss"].replace(".", "", 1)
        rules.setdefault(place.parts[0], []).append(
            {
                "seconds": float(row["s"]),
                "answering": min(asked["seconds"], float(row["s"])),
                "answers": asked["answers"],
                "tokens_out": asked["tokens_out"],
                "mebibytes": float(row["max_rss"]) if memory.isdigit() else None,
            }
        )
    rows = [
        {
            "rule": rule,
            "jobs": len(jobs),
            **{
                key: sum(job[key] for job in jobs)
                for key in ("seconds", "answering", "answers", "tokens_out")
            },
            "fixed": sum(job["seconds"] - job["answering"] for job in jobs),
            "mebibytes": max((job["mebibytes"] for job in jobs if job["mebibytes"]), default=None),
        }
        for rule, jobs in rules.items()
    ]
    return pl.DataFrame(rows, schema=SCHEMA).sort("seconds", descending=True)


def _answering(benchmark: Path) -> dict[str, float]:
    """What the engines of one job wrote beside its log, summed over its models."""
    totals = {"seconds": 0.0, "answers": 0, "tokens_out": 0}
    for path in benchmark.parent.glob(f"{glob.escape(benchmark.stem)}.*.answering.json"):
        told = read_json(path)
        totals = {key: totals[key] + told[key] for key in totals}
    return totals


MODEL_SCHEMA = {
    "model": pl.String,
    "answers": pl.Int64,
    "calls": pl.Int64,  # to a server
    "tokens_in": pl.Int64,
    "tokens_out": pl.Int64,
    "cost": pl.Float64,  # at the configured prices; null without them
}


def by_model(results: Path, prices: Mapping[str, Mapping[str, float]]) -> pl.DataFrame:
    """A row of MODEL_SCHEMA for each model: everything it was asked in this folder, earlier and failed
    runs included.
    """
    sums: dict[str, dict[str, float]] = {}
    for path in sorted(results.glob("logs/**/*.*.answering.json")):
        model = path.name.removesuffix(".answering.json").rpartition(".")[2]
        told, total = read_json(path), sums.setdefault(model, dict.fromkeys(list(MODEL_SCHEMA)[1:5], 0))
        for name in total:
            total[name] += told.get(name, 0) + told.get("earlier", {}).get(name, 0)
    rows: list[dict[str, Any]] = []
    for model, total in sums.items():
        price = prices.get(model)
        cost = price and (total["tokens_in"] * price["input"] + total["tokens_out"] * price["output"]) / 1e6
        rows.append({"model": model, **total, "cost": cost})
    return pl.DataFrame(rows, schema=MODEL_SCHEMA)
