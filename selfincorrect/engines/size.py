"""The arithmetic of a model: how many operations its tokens take."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from selfincorrect.engines.manifest import Manifest


class Size(BaseModel):
    """What operations are counted from: parameters, and the layers that attend.

    `attention` has a pair for each kind of layer: how far back it looks, None for all of the text, and the
    widths of its heads together, summed over the layers of the kind.
    """

    model_config = ConfigDict(frozen=True)

    parameters: float
    attention: list[tuple[int | None, int]] = []

    def operations(self, first: ArrayLike, tokens: ArrayLike) -> NDArray[np.float64]:
        """Multiplications and additions for `tokens` tokens of a text, the one at the place `first` and those
        that follow it.

        2 · parameters for each token (Kaplan et al. 2020, 2001.08361, section 2.1), and 4 · width for each
        token that it attends to: scores and mean. A lookup in the vocabulary is counted as a product.
        """
        start, count = np.asarray(first, dtype=float), np.asarray(tokens, dtype=float)
        attended = sum(
            (
                width * (_seen(start + count, window) - _seen(start, window))
                for window, width in self.attention
            ),
            np.zeros(()),
        )
        return np.asarray(2 * self.parameters * count + 4 * attended)


def _seen(count: NDArray[np.float64], window: int | None) -> NDArray[np.float64]:
    """How many tokens the first `count` ones attend to together, each to itself and those before it."""
    within = count if window is None else np.minimum(count, window)
    return np.asarray(within * (within + 1) / 2 + (count - within) * (window or 0))


def size_of(manifest: Manifest, parameters: float | None) -> Size | None:
    """The size of a prepared model as it was counted, else of as many `parameters` as configured; None where
    neither is known. Of a mixture of experts all are counted.
    """
    told: Any = manifest.model_dump().get("size") or ({"parameters": parameters} if parameters else None)
    return Size.model_validate(told) if told else None
