"""A prepared model as a job uses it: its manifest, its part of the response store, its engine on first need."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfincorrect.config_check import check
from selfincorrect.engines import Engine, make_engine
from selfincorrect.io import read_json
from selfincorrect.store import ResponseStore


@dataclass(frozen=True)
class OpenedModel:
    name: str
    digest: str
    mode: str
    context: int | None
    store: ResponseStore
    engine: Callable[[], Engine]
    provenance: dict[str, Any]


def opened_model(snakemake: Any, manifest_path: str, task: str) -> OpenedModel:
    """The model of a job. Nothing is loaded until `engine` is called, and then once."""
    manifest = read_json(manifest_path)
    run = check(snakemake.config).run
    settings = {
        "device": run.device,
        "batch_size": run.batch_size,
        "threads": snakemake.threads,
    }
    made: list[Engine] = []

    def engine() -> Engine:
        if not made:
            made.append(make_engine(manifest, Path(manifest_path).parent, settings))
        return made[0]

    store = ResponseStore(Path(run.store).expanduser() / manifest["digest"][:16] / task)
    provenance = {key: manifest[key] for key in ("name", "source", "revision", "dtype", "digest")}
    return OpenedModel(
        manifest["name"], manifest["digest"], manifest["prompt"], manifest["context"], store, engine, provenance
    )
