"""The choices of a run as samples of lm-evaluation-harness, for tools that read its logs."""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.errors import UserError
from selfincorrect.io import write_text
from selfincorrect.report.shown import called

TIME = "%Y-%m-%dT%H-%M-%S"
METRIC = "acc"


def main(arguments: Sequence[str]) -> int:
    """Write the files; exit code 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="selfincorrect export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--to", type=Path, required=True, help="folder for <model>/samples_<task>….jsonl")
    given = parser.parse_args(arguments)
    try:
        files = export(given.run, given.to)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.to}: {len(files)} files")
    return 0


def export(run: Path, to: Path) -> list[Path]:
    """Write a file for each model, task, k and way of choosing, a line a choice; returns their paths.

    The mean of `acc` in a file is the S_disc of its cell. Raises UserError if the run is not finished.
    """
    results = run / "results" if (run / "results").is_dir() else run
    table = results / "tables" / "metrics.parquet"
    if not table.is_file():
        raise UserError(f"There is no {table}. Name the folder of a finished run.")
    metrics, files = pl.read_parquet(table), []
    for model, task, k in metrics.select("model", "task", "k").unique(maintain_order=True).iter_rows():
        for way, rows in _ways(results / model / task, k, model):
            path = to / model / f"samples_{task}-k{k}-{way.replace(' ', '-')}_{_made(table)}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
            files.append(path)
    return files


def _made(table: Path) -> str:
    return datetime.fromtimestamp(table.stat().st_mtime, UTC).strftime(TIME)


def _ways(pair: Path, k: int, model: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The records of each way of choosing of one target."""
    pool = pl.read_parquet(pair / "candidates.parquet").filter(pl.col("sample") < k).sort("sample")
    texts = dict(pool.group_by("question_id", maintain_order=True).agg("text").iter_rows())
    choices = pl.read_parquet(pair / f"k{k}" / "choices.parquet")
    items = pl.read_parquet(pair / f"k{k}" / "per_question.parquet")
    keys = ["question_id", "variant", "discriminator"]
    scored = items.select(*keys, "grades", "chosen_grade").join(
        choices.select(*keys, "prompt", "output", "chosen_sample", "how", "temperature"),
        on=keys,
        nulls_equal=True,
    )
    for (variant, discriminator), rows in scored.group_by("variant", "discriminator", maintain_order=True):
        records = [_record(place, row, texts) for place, row in enumerate(rows.iter_rows(named=True))]
        yield called(str(variant), discriminator, model), records


def _record(place: int, row: Mapping[str, Any], texts: Mapping[str, list[str | None]]) -> dict[str, Any]:
    candidates, prompt = texts[row["question_id"]], row["prompt"] or ""
    picked = None if row["chosen_sample"] is None else candidates[row["chosen_sample"]]
    doc = {"question_id": row["question_id"], "candidates": candidates, "grades": row["grades"]}
    drawn = {"do_sample": bool(row["temperature"]), "temperature": row["temperature"] or 0.0}
    return {
        "doc_id": place,
        "doc": doc | {"how": row["how"]},
        "target": str(max(range(len(row["grades"])), key=row["grades"].__getitem__)),
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": drawn}},
        "resps": [[row["output"] or ""]],
        "filtered_resps": [picked or ""],
        "filter": "choice",
        "metrics": [METRIC],
        METRIC: row["chosen_grade"],
        "doc_hash": _hash(json.dumps(doc)),
        "prompt_hash": _hash(prompt),
        "target_hash": _hash(json.dumps(row["grades"])),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
