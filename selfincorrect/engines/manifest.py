"""What engines are told: which model is wanted, what was prepared of it, and how a job runs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from selfincorrect.sections import ServerConfig

Mode = Literal["completion", "chat"]


class _Model(BaseModel):
    """What a configuration says of a model, and its manifest keeps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Any
    revision: str | None = None
    prompt: Mode
    engine: str = "transformers"
    dtype: str = "float32"
    context: int | None = None
    trust_remote_code: bool = False
    adapter: str | None = None
    logprobs: bool | None = None
    body: dict[str, Any] | None = None
    template: dict[str, Any] | None = None


class ModelSettings(_Model):
    """A model as its rule wants it prepared; `key` is the variable that holds the key of its server, `body`
    what each call to that says beside, and `template` what its chat template is told.
    """

    key: str | None = None


class Manifest(_Model):
    """A prepared model: `manifest.json` in its folder. `weights` is a path relative to that; `digest`
    identifies everything of the model that shapes an answer, `adapter` among it by a digest of its own. An
    engine may tell more, for itself. `server` is that of the job at hand.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    digest: str = ""
    weights: str | None = None
    encoder_decoder: bool = False
    architecture: str | None = None
    license: str | None = None
    server: ServerConfig | None = None

    def told(self) -> dict[str, Any]:
        """The manifest as it is written: what was said of the model, and nothing else."""
        return self.model_dump(mode="json", exclude_unset=True)


@dataclass(frozen=True)
class Running:
    """How a job runs its model; it is in no digest.

    `pending` is a folder where an engine keeps what it must find again, should the job end early.
    """

    device: Literal["auto", "cpu", "cuda"] = "cpu"
    threads: int | None = None
    batch_size: int | None = None
    decoding: Literal["auto", "cascade", "continuous", "plain"] = "auto"
    pending: Path | None = None
