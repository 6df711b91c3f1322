"""Numbers published in SELF-[IN]CORRECT (Jiang et al., AAAI 2025, arXiv 2404.04298), in points as printed."""

from pathlib import Path

import polars as pl


def table(name: str) -> pl.DataFrame:
    """A published table: "table2" (DG-Diff by model and task) or "figure9" (original and simplified distractors)."""
    return pl.read_csv(Path(__file__).with_name(f"{name}.csv"))
