"""Figures, one module each, with a function `draw(metrics, slots) -> Figure`."""

NAMES = ("dg_diff", "scores", "selectors", "positions", "forest")
