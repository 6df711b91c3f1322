"""Figures, one module each, with a function `draw(tables) -> Figure`."""

NAMES = (
    "dg_diff",
    "scores",
    "selectors",
    "best_of",
    "compute",
    "matrix",
    "positions",
    "forest",
    "difficulty",
)
