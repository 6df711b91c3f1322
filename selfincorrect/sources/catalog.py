"""The catalog of models on the package index."""

from functools import cache
from pathlib import Path

import yaml

from selfincorrect.sources.kinds import GgufPackages

PREFIX = "catalog:"


@cache
def catalog() -> dict[str, GgufPackages]:
    """The models that `catalog:<name>` can name."""
    text = Path(__file__).with_name("catalog.yaml").read_text(encoding="utf-8")
    return {name: GgufPackages.model_validate(entry) for name, entry in yaml.safe_load(text).items()}
