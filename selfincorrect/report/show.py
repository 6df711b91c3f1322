"""The results table of a finished run, for a terminal, and where everything lies."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import polars as pl

from selfincorrect.jobs.job import plain_text
from selfincorrect.report.headline import headlines
from selfincorrect.report.shown import knowing, labelled
from selfincorrect.report.summary import WIDTH, summary


def main(arguments: Sequence[str]) -> int:
    """Print the table of the folder that is named; exit code 0, or 1 where there is none."""
    parser = argparse.ArgumentParser(prog="selfincorrect show", description=__doc__)
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="folder of a run; default: results"
    )
    given: Path = parser.parse_args(arguments).results
    results = given / "results" if (given / "results").is_dir() else given
    if not (results / "tables" / "contrasts.parquet").exists():
        print(f"No results table in {results}/ yet: it is made at the end of a run.", file=sys.stderr)
        return 1
    metrics, contrasts, selectors = (
        pl.read_parquet(results / "tables" / f"{name}.parquet")
        for name in ("metrics", "contrasts", "selectors")
    )
    metrics, contrasts = labelled(metrics), labelled(contrasts)
    known = knowing(selectors)
    print(plain_text("\n".join(summary(metrics, known))))
    print()
    for what, path in (("report", "report.html"), ("tables", "tables/"), ("figures", "figures/")):
        print(f"{what:8} {results / path}")
    print()
    for line in headlines(metrics, contrasts, known):
        print(fill(plain_text(line), WIDTH, subsequent_indent="  "))
    return 0
