"""What an engine is to the rest of the package: how a model is prepared for it and opened.

An engine is a module with `prepare`, `open_engine` and an object ENGINE, and its entry in
`registry.BUILT_IN`; one of another package is an entry point of the group `selfincorrect.engines`, by its
name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from selfincorrect.engines.manifest import Manifest, ModelSettings, Running
from selfincorrect.engines.requests import FIRST, Engine, Versions


@dataclass(frozen=True)
class EngineKind:
    """How models are prepared for an engine and opened.

    `source` says what the `source` of a model is: "weights" that run in the job's own process, "served", an
    id at a server, or a "file". `prepare` makes a folder hold or point to the model, and returns what its
    manifest says beside what was configured; `open_engine` takes that manifest, the folder, and how the job
    runs it. Raise a number of `versions` when a fix changes what the engine answers: stored answers of before
    are then asked for again. `options` says whether it tells how probable the options of a request are, and
    `certainties` whether it knows the whole distribution behind them.
    """

    source: Literal["weights", "served", "file"]
    prepare: Callable[[str, ModelSettings, Path], dict[str, Any]]
    open_engine: Callable[[Manifest, Path, Running], Engine]
    versions: Versions = FIRST
    options: bool = False
    certainties: bool = False

    @property
    def served(self) -> bool:
        return self.source == "served"

    @property
    def in_process(self) -> bool:
        """Whether its jobs run the weights themselves, and need memory and GPUs for them."""
        return self.source == "weights"
