"""`selfincorrect collect A B --to all.parquet`: the metrics of several experiments in one table."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from selfincorrect.columns import Column
from selfincorrect.errors import UserError
from selfincorrect.io import write_csv, write_table
from selfincorrect.measure.columns import METRICS, TEXT

EXPERIMENT = Column("experiment", TEXT, "folder of the run")


def experiment_names(folders: Sequence[Path]) -> list[str]:
    """What each run is called: its folder's name, or as much of its path as tells it from the others."""
    parts = [folder.resolve().parts for folder in folders]
    parts = [each[:-1] if each[-1] == "results" else each for each in parts]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise UserError("The same run is named twice.")


def collected(folders: Sequence[Path]) -> pl.DataFrame:
    """The metrics of all runs, with the column `experiment` first; what a run did not have yet is empty.

    Raises UserError where a run has no metrics.
    """
    tables = []
    for name, folder in zip(experiment_names(folders), folders, strict=True):
        results = folder / "results" if (folder / "results").is_dir() else folder
        path = results / "tables" / "metrics.parquet"
        try:
            table = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError(f"{path} cannot be read ({error}). Name the folder of a finished run.") from error
        tables.append(table.select(pl.lit(name).alias(EXPERIMENT.name), pl.all()))
    return pl.concat(tables, how="diagonal_relaxed")


def main(arguments: Sequence[str]) -> int:
    """Write the table; exit code 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="selfincorrect collect", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--to", type=Path, required=True, help="the table to write, .parquet or .csv")
    given = parser.parse_args(arguments)
    if given.to.suffix not in (".parquet", ".csv"):
        parser.error("--to takes a .parquet or a .csv file")
    try:
        table = collected(given.runs)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    if given.to.suffix == ".csv":
        write_csv(given.to, table)
    else:
        write_table(given.to, table, columns=[EXPERIMENT, *METRICS])
    print(f"{given.to}: {table.height} cells of {len(given.runs)} runs")
    return 0
