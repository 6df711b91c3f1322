"""A prepared model as a job uses it: its manifest, its part of the response store, and its engine."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.registry import engine_kind
from selfincorrect.engines.requests import Engine, Request, Response, said
from selfincorrect.errors import UserError
from selfincorrect.io import read_json, write_json
from selfincorrect.jobs import stopping
from selfincorrect.models.ask import OpenedModel, rank
from selfincorrect.models.settings import RunConfig
from selfincorrect.models.store import ResponseStore
from selfincorrect.sections import ServerConfig

log = logging.getLogger("selfincorrect")

PENDING = "pending"  # folder beside the answers: what waits at a server
SPENT = ("answers", "calls", "tokens_in", "tokens_out")


class Timed:
    """An engine that writes to a file how long it took to answer, and how much it answered.

    What the rest of a job took is fixed cost. What earlier runs of the job had asked stays in the file, under
    "earlier": it was paid for too.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self.engine, self.path = engine, path
        self.told: dict[str, Any] = {"seconds": 0.0, **dict.fromkeys(SPENT, 0)}
        self.earlier = _told(path).get("earlier", dict.fromkeys(SPENT, 0))

    def answer(
        self, requests: Sequence[Request], stop: Callable[[], bool] = stopping.requested
    ) -> Iterator[list[tuple[Request, Response]]]:
        """The engine's own batches, each answer with its share of the time; the file is up to date with every
        batch.
        """
        told, start = self.told, time.perf_counter()
        for batch in self.engine.answer(requests, stop):
            told["answers"] += len(batch)
            told["tokens_in"] += sum(response.tokens_in or 0 for _, response in batch)
            told["tokens_out"] += sum(response.tokens_out or 0 for _, response in batch)
            # A server bills a prompt once for several answers, and what was retried as well: its engine
            # counts itself.
            billed = {name: getattr(self.engine, name) for name in SPENT if hasattr(self.engine, name)}
            now = time.perf_counter()
            took, start = now - start, now
            told["seconds"] += took
            write_json(self.path, {**told, **billed, "earlier": self.earlier})
            yield [(request, _timed(response, took / len(batch))) for request, response in batch]


def _timed(response: Response, seconds: float) -> Response:
    return replace(response, seconds=seconds) if response.sent and response.seconds is None else response


def _told(path: Path) -> dict[str, Any]:
    """What earlier runs wrote to `path`.

    It is nothing where the file is not there or was emptied, since it is bookkeeping alone.
    """
    try:
        told = read_json(path) if path.exists() else {}
    except UserError as error:
        log.warning("%s What earlier runs of this job asked is not counted.", error)
        return {}
    return dict(told)


def _close_account(path: Path) -> None:
    """Make "earlier" what an earlier run of a job wrote to `path`: the run that begins counts from 0."""
    if told := _told(path):
        earlier = {name: told.get("earlier", {}).get(name, 0) + told.get(name, 0) for name in SPENT}
        write_json(path, {"seconds": 0.0, **dict.fromkeys(SPENT, 0), "earlier": earlier})


def opened_model(
    manifest_path: Path | str, task: str, config: Mapping[str, Any], threads: int, log_file: Path | str
) -> OpenedModel:
    """The model of a job on a task, as prepared; nothing is loaded until `engine` is called, and then once.

    Of the configuration, as given, its section `run` is read and the model's own `server`, `greedy` and
    `reasoning`. What was asked is written beside `log_file`.
    """
    manifest = Manifest.model_validate(read_json(manifest_path))
    run, entry = RunConfig.model_validate(config.get("run") or {}), config["models"][manifest.name]
    if entry.get("server") is not None:
        manifest = manifest.model_copy(update={"server": ServerConfig.model_validate(entry["server"])})
    reasoning = ReasoningConfig.model_validate(entry["reasoning"]) if entry.get("reasoning") else None
    if reasoning and reasoning.tags:
        thoughts.know(*reasoning.tags)
    kind = engine_kind(manifest.engine)
    made: list[Engine] = []
    store = ResponseStore(Path(run.store).expanduser() / manifest.digest[:16] / task, rank, said)
    settings = Running(run.device, threads, run.batch_size, run.decoding, store.folder / PENDING)
    answering = Path(log_file).with_suffix(f".{manifest.name}.answering.json")
    _close_account(answering)

    def engine() -> Engine:
        if not made:
            engine = kind.open_engine(manifest, Path(manifest_path).parent, settings)
            made.append(Timed(engine, answering))
        return made[0]

    provenance = manifest.model_dump(mode="json", include={"name", "source", "revision", "dtype", "digest"})
    return OpenedModel(
        manifest.name,
        manifest.digest,
        manifest.prompt,
        manifest.context,
        store,
        engine,
        provenance,
        kind.versions,
        entry.get("greedy", True),
        reasoning,
        run.retry,
        run.errors,
        kind.options,
        not kind.served,
    )


def opened_models(
    manifests: Mapping[str, str], task: str, config: Mapping[str, Any], threads: int, log_file: Path | str
) -> dict[str, OpenedModel]:
    """The models of a job by role; one that has several roles is opened once."""
    paths = dict.fromkeys(manifests.values())
    made = {path: opened_model(path, task, config, threads, log_file) for path in paths}
    return {role: made[path] for role, path in manifests.items()}
