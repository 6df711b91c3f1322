"""Where models and data come from: the hub, the package index, or a local path.

These are descriptions only; `fetch` gets what they describe.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]

# What a model needs to run; pickled weights are never among it.
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    license: str = Field("not stated", description="Licence shown when it is fetched.")
    content_sha256: str | None = Field(
        None, description="Digest of the questions read from the file, whatever its format."
    )


class HubFile(_Source):
    """One file of a data set on the Hugging Face Hub, at a pinned commit."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Data set on the hub, `owner/name`.")
    file: str = Field(description="Path of the file in the data set.")
    revision: Commit = Field(description="Commit, 40 hexadecimal digits.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of the file.")


class PackageMember(_Source):
    """One file inside a wheel on the package index, or several with rows of one kind."""

    package: str = Field(pattern=r"^[\w.-]+$", description="Package on the index.")
    version: str = Field(pattern=r"^[\w.!+-]+$", description="Its exact version.")
    sha256: Sha256 = Field(description="SHA-256 of the wheel.")
    member: str = Field(description="Path of the file inside the wheel; with `*`, all that match.")


class LocalFile(_Source):
    """A file on this machine: parquet, Arrow, CSV, or JSON lines (also gzipped)."""

    path: str = Field(description="Path of the file.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of the file.")


class PackagedFile(_Source):
    """A file that comes with this package, whatever folder that is in."""

    name: str = Field(description="Path inside the package.")


class Files(_Source):
    """Several files that make up one data set, by what they hold."""

    files: dict[str, HubFile | PackageMember | LocalFile] = Field(
        min_length=1, description="Its files, by what they hold."
    )


class Generated(_Source):
    """Puzzles that are made, `count` of each size, by a module of `tasks.puzzles`."""

    generator: str = Field(
        pattern=r"^[a-z]+$", description="Puzzles to make: `countdown`, `matrix`, `sat`, `sudoku`."
    )
    sizes: list[Annotated[int, Field(ge=1, le=99)]] = Field(
        min_length=1, description="Sizes: how hard they are."
    )
    count: int = Field(100, ge=1, le=100_000, description="Puzzles of each size.")
    seed: int = Field(0, ge=0, description="Seed of the puzzles.")


Source = HubFile | PackageMember | LocalFile | PackagedFile | Files | Generated


class GgufPackages(BaseModel):
    """A model as a GGUF file, in one wheel or in parts over several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: tuple[PackageMember, ...] = Field(min_length=1, description="The parts, in order.")
    sha256: Sha256 = Field(description="SHA-256 of the joined GGUF file.")
    license: str = Field("not stated", description="Licence shown when it is fetched.")


def packaged_path(source: PackagedFile) -> Path:
    """Where a packaged file lies on this machine."""
    return Path(__file__).parent.parent / source.name


def is_folder(source: str) -> bool:
    """Whether a model's `source` is a local path and not a hub id."""
    return source.startswith(("/", "./", "../", "~"))


def is_gguf(source: str) -> bool:
    """Whether a model's `source` is a GGUF file on this machine."""
    return is_folder(source) and source.lower().endswith(".gguf")


def model_files(trust_remote_code: bool) -> list[str]:
    """Patterns of the files that make up a model: code of its own only if it is trusted."""
    return [*MODEL_FILES, "*.py"] if trust_remote_code else MODEL_FILES
