"""Where a result comes from: versions, commit, machine, time."""

import datetime
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from selfincorrect import __version__
from selfincorrect.digest import digest
from selfincorrect.io import read_provenance

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "statsmodels", "polars", "snakemake")


def versions() -> dict[str, str]:
    """The versions of Python, of this package, and of those installed libraries that shape numbers."""
    found = {"python": platform.python_version(), "selfincorrect": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(folder: Path) -> str:
    """The git commit of the code in `folder`, marked if it was edited; "unknown" outside a repository."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def machine() -> dict[str, Any]:
    """The system and the processor, without host or user name."""
    return {"system": platform.platform(terse=True), "processor": platform.machine()}


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def asked_with(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The prompts and versions behind a table, for its metadata."""
    return {"prompt": digest(settings["prompts"]), "versions": versions()}


def judged_by(judges: Mapping[str, Any]) -> dict[str, Any]:
    """The opened models that judged, by role, for the metadata of a table."""
    return {"judges": {role: model.told() for role, model in judges.items()}, "versions": versions()}


def origin(
    model: Mapping[str, Any], dataset: str, settings: Mapping[str, Any], without: Sequence[str] = ("code",)
) -> dict[str, Any]:
    """What a table of a model's answers is made of, for its metadata.

    Of `settings` it has all but the keys in `without`.
    """
    return {
        "model": model,
        "data": read_provenance(dataset)["data"],
        "settings": {key: value for key, value in settings.items() if key not in without},
        **asked_with(settings),
    }


def of_choices(candidates: str, shards: Sequence[str]) -> dict[str, Any]:
    """What a table of choices is made of, for its metadata: those of the candidates' own model or, without
    any, the first; `discriminators` are the others that were asked, by name.
    """
    own = read_provenance(candidates)
    asked = {each["model"]["name"]: each for each in map(read_provenance, shards)}
    first = asked.pop(own["model"]["name"], None) or (asked.pop(next(iter(asked))) if asked else own)
    others = {name: each["model"] for name, each in asked.items()}
    return {**first, **({"discriminators": others} if others else {})}
