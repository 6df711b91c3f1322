"""The record of a finished run: what runs it again, and digests to see whether it comes out the same."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.digest import digest, file_sha256
from selfincorrect.io import read_json, read_provenance
from selfincorrect.jobs.provenance import commit, machine, now, versions
from selfincorrect.models.answers import comparable
from selfincorrect.report.accounting import MEASURED
from selfincorrect.report.stage import datasets_of
from selfincorrect.report.tables import Pair

FORMAT = 1


def record(
    inputs: Any, config: Mapping[str, Any], seed: int, pairs: Sequence[Pair], code: Path
) -> dict[str, Any]:
    """The record, ready for JSON.

    `inputs` are the rule's: the paths of `manifests`, `datasets`, `tables`, `paper`, `refinements`,
    `candidates`, `grades` and `choices`. `config` is the configuration as given, which names keys and holds
    none; `pairs` are in the order of the paths; `code` is the folder of the code.
    """
    here = versions()
    made = [read_provenance(path) for path in inputs.candidates]
    asked = [*made, *map(read_provenance, inputs.choices)]
    manifests, kept = map(read_json, inputs.manifests), ("source", "revision", "digest")
    models = {each["name"]: {key: each[key] for key in kept} for each in manifests}
    pools = {
        f"{model} {task}": _pool(each["settings"])
        for (model, task), each in zip(pairs, made, strict=True)
        if model not in models
    }
    tables = [path for path in inputs.tables if path.endswith(".parquet")]
    data = {task: read_provenance(path)["data"] for task, path in datasets_of(pairs, inputs.datasets).items()}
    # What servers said they are.
    answered = [each["model"] for each in asked]
    answered += [model for each in asked for model in each.get("discriminators", {}).values()]
    served = {model["name"]: model["served"] for model in answered if "served" in model}
    made_of_columns = [*tables, *inputs.refinements, *inputs.candidates, *inputs.grades, *inputs.choices]
    return {
        **({"served": served} if served else {}),
        "format": FORMAT,
        "finished": now(),
        "commit": commit(code),
        "versions": here,
        "versions_before": [each for each in _distinct(p["versions"] for p in asked) if each != here],
        "machine": machine(),
        "seed": seed,
        "configuration": dict(config),
        "models": models | pools,
        "data": data,
        "results": {
            **{path: columns_digests(path) for path in made_of_columns},
            **{path: file_sha256(Path(path)) for path in inputs.paper},
        },
    }


def _pool(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A pool from elsewhere, in the place of a model.

    Its digest is that of its file and of how it is read, wherever the file lies.
    """
    pool, sha256 = settings["pool"], settings["sha256"]
    read = {key: value for key, value in pool.items() if key != "path"}
    return {"source": pool, "revision": sha256, "digest": digest([read, sha256])}


def columns_digests(path: Path | str) -> dict[str, str]:
    """The SHA-256 of each column's type and values, 64 hexadecimal digits, by its name.

    The file's own digest would not do: it holds its origin too (paths, versions), and another version may
    pack the same values otherwise. What answers took is left out: it is another in each run.
    """
    table = comparable(pl.read_parquet(path))
    kept = [each for each in table if Path(path).stem != "accounting" or each.name not in MEASURED]
    texts = {each.name: f"{each.dtype}\n{each.to_frame().write_ndjson()}" for each in kept}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
