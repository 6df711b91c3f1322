"""The one cost model: what answers take of a machine or a server.

The resources of jobs, estimates and plans are all made of it.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from selfincorrect.config.model_section import ModelConfig
from selfincorrect.engines.registry import engine_kind

PARAMETERS = 8e9  # the size of a model whose configuration does not say
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
SECONDS_A_CALL = 10.0  # what a server takes for a call; assumed
SECONDS_A_BATCH = 4 * 3600.0  # assumed: a day at most, and a job whose time is over finds its batch again
MEASURED_SIZE = 8.03e9  # parameters of the model that `make bench-gpu` measures cards with


@dataclass(frozen=True)
class Rates:
    """Arithmetic operations a second, two for each parameter and token, and where they come from."""

    reading: float
    decoding: float
    basis: str


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("rates.yaml").read_text(encoding="utf-8"))
    return known


def assumed(cuda: bool) -> Rates:
    """The rates that `rates.yaml` has of a card or of a processor."""
    found = _known()["cuda" if cuda else "cpu"]
    return Rates(float(found["reading"]), float(found["decoding"]), found["basis"])


def rates(device: str, measured: Path) -> Rates:
    """The rates of a device: of a card as `make bench-gpu` `measured` it, if it did, else those assumed.

    `auto` is taken for a card.
    """
    cuda = device != "cpu"
    if cuda and measured.is_file():
        # Imported late, since it needs polars and every cluster job reads this module with the workflow.
        from selfincorrect.io import read_json

        found = read_json(measured)
        # Ways of running the model that did not fit have no seconds.
        large = [row for row in found["speed"] if row["model"] == "random 8b" and row["seconds"]]
        if large and found["card"] != "cpu":
            reading, decoding = (
                2 * MEASURED_SIZE * max(row[f"{name}_tokens_per_second"] for row in large)
                for name in ("prefill", "decode")
            )
            return Rates(reading, decoding, f"measured on {found['card']}")
    return assumed(cuda)


def parameters(model: ModelConfig) -> float:
    """The number of parameters of a model, PARAMETERS where its configuration does not say."""
    return model.parameters or PARAMETERS


def weight_bytes(model: ModelConfig) -> float:
    """The bytes of weights that a job loads, 0 for models that run elsewhere."""
    return parameters(model) * BYTES[model.dtype] if engine_kind(model.engine).in_process else 0.0


def answering_seconds(
    model: ModelConfig, answers: float, tokens_in: float, tokens_out: float, rate: Rates, together: int = 1
) -> float:
    """The seconds that `answers` with so many tokens in all take, `together` in one call to a server.

    A model on several GPUs lies there layer by layer: they work in turn, as fast as one.
    """
    kind = engine_kind(model.engine)
    if model.server and model.server.batch:
        return SECONDS_A_BATCH
    if kind.served:
        return SECONDS_A_CALL * answers / together / (model.server.concurrency if model.server else 1)
    if kind.in_process:
        work = 2 * parameters(model)
        return work * tokens_in / rate.reading + work * tokens_out / rate.decoding
    script = yaml.safe_load(Path(str(model.source)).expanduser().read_text(encoding="utf-8"))
    return answers * float(script.get("delay", 0))
