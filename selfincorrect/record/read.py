"""Reading the record of a run, which may come from a stranger."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfincorrect.errors import UserError
from selfincorrect.io import read_json
from selfincorrect.record.record import FORMAT

RECORD = Path("results/run.json")  # seen from the folder of a run
_COMMIT = re.compile(r"[0-9a-f]{7,64}(-dirty)?|unknown")
_VERSION = r"^[A-Za-z0-9.+!_-]{1,80}$"


class _Versions(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[str, Field(pattern=_VERSION)]] = Field(init=False)

    python: str = Field(pattern=_VERSION)


class _Machine(BaseModel):
    system: str


class _Record(BaseModel):
    """What a record must hold before anything of it is used; it may come from a stranger."""

    model_config = ConfigDict(strict=True)

    commit: str = Field(pattern=rf"^({_COMMIT.pattern})$")
    versions: _Versions
    versions_before: list[_Versions]
    machine: _Machine
    configuration: dict[str, Any]
    models: dict[str, dict[str, Any]]
    data: dict[str, Any]
    results: dict[str, str | dict[str, str]]


def read_record(path: Path) -> dict[str, Any]:
    """The record in `path`. Raises UserError if there is none that this version reads."""
    try:
        found = read_json(path)
    except (OSError, UserError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read as the record of a run: {type(error).__name__}: {error}\n"
            f"A finished run writes {RECORD} into its folder."
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        has = found.get("format") if isinstance(found, dict) else None
        raise UserError(
            f"{path} is no record of a run that this version reads: format {has!r}, expected {FORMAT}. "
            "Use the version of the code that wrote it."
        )
    try:
        _Record.model_validate(found)
    except (ValidationError, RecursionError) as error:
        where, wrong = "", "too deep"
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            where, wrong = ".".join(map(str, first["loc"])), first["msg"]
        raise UserError(
            f"{path} is no whole record: {where}: {wrong}. Take the record as its run wrote it."
        ) from None
    return found
