"""`python -m selfincorrect RESULTS`: print the results table and where everything lies."""

import sys
from pathlib import Path

import polars as pl

from selfincorrect.jobs.job import plain_text
from selfincorrect.report.tables import summary_lines


def main(results: Path) -> None:
    if not (results / "tables" / "metrics.parquet").exists():
        print(f"No results table in {results}/ yet: it is made at the end of `make run`.")
        return
    print(plain_text("\n".join(summary_lines(pl.read_parquet(results / "tables" / "metrics.parquet")))))
    print()
    for what, path in (("report", "report.html"), ("tables", "tables/"), ("figures", "figures/")):
        print(f"{what:8} {results / path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
