"""`selfincorrect compare A B`: two runs, or two models, variants or k of one, by what they chose.

Cells that agree in everything but what is compared are joined by question. Each row is A minus B.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from selfincorrect.columns import schema_of
from selfincorrect.discriminate.selectors.registry import uncompared
from selfincorrect.errors import UserError
from selfincorrect.io import write_csv
from selfincorrect.jobs.job import plain_text
from selfincorrect.measure.items import COLUMNS as ITEMS
from selfincorrect.report.contrasts import by_how_much, cells_of, table_of
from selfincorrect.report.shown import called
from selfincorrect.report.wanted import counterparts, value_of

WORSE = 3  # exit code of --fail-if-worse
FIELDS = {"models": "model", "variants": "variant", "discriminators": "discriminator", "k": "k"}


def items_of(folder: Path) -> pl.DataFrame:
    """What scores are made of, of all cells of a run, which is given by its folder or by its `results`.

    Raises UserError where there is none, or where a file is no such table.
    """
    results = folder / "results" if (folder / "results").is_dir() else folder
    paths = sorted(results.glob("*/*/k*/per_question.parquet"))
    if not paths:
        raise UserError(
            f"{folder} has no results of questions ({results}/<model>/<task>/k<k>/per_question.parquet). "
            "Name the folder of a finished run; one of an older version makes them when it is run again."
        )
    schema = schema_of(ITEMS)
    tables = []
    for path in paths:
        try:
            table = pl.read_parquet(path)
            if "discriminator" not in table.columns:  # of a version that asked each model about itself alone
                table = table.with_columns(pl.lit(None, dtype=pl.String).alias("discriminator"))
            tables.append(table.select(list(schema)).cast(pl.Schema(schema)))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError(f"{path} is no table of questions: {error}") from error
    return pl.concat(tables)


def compared(first: pl.DataFrame, second: pl.DataFrame, differ: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """The contrasts, as `contrasts.COLUMNS`, of cells of `first` with those of `second` that agree in all but
    what `differ` gives two values of, by field.

    Raises UserError where no two cells agree.
    """
    left_out = pl.col("selector").is_in(list(uncompared()))  # controls say nothing of a model
    cells, others = (cells_of(table.filter(~left_out)) for table in (first, second))
    pairs = []
    changed = {field: two for field, (_, two) in differ.items()}
    for cell in cells:
        if all(value_of(cell, field) == one for field, (one, _) in differ.items()):
            for other in counterparts(cell, changed, others):
                pairs.append(((cell, other), cells[cell], others[other]))
    if not pairs:
        there = " and ".join(
            ", ".join(f"{m} {t} k = {k} {called(v, by, m)}" for m, t, k, v, by in list(each)[:20])
            for each in (cells, others)
        )
        raise UserError(f"No two cells agree in all but what is compared. There are: {there}.")
    return table_of(pairs)


def main(arguments: Sequence[str]) -> int:
    """Print the contrasts, write them where that is asked for; exit code 0, 1 after an error, or WORSE."""
    parser = argparse.ArgumentParser(prog="selfincorrect compare", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of one or two runs: A, or A and B")
    for option, field in FIELDS.items():
        words = f"the {field} of A and the {field} of B"
        kind = int if option == "k" else str
        parser.add_argument(f"--{option}", nargs=2, metavar=("A", "B"), help=words, type=kind)
    parser.add_argument("--same-pool", action="store_true", help="an error unless both chose from one pool")
    parser.add_argument("--to", type=Path, help="also write the table there (.csv)")
    parser.add_argument("--figure", type=Path, help="draw the differences there (.png or .pdf)")
    parser.add_argument(
        "--fail-if-worse", action="store_true", help=f"exit code {WORSE} if A is worse than B"
    )
    given = parser.parse_args(arguments)
    differ = {field: values for option, field in FIELDS.items() if (values := getattr(given, option))}
    if len(given.runs) > 2:
        parser.error("one or two runs")
    if len(given.runs) == 1 and not differ:
        parser.error("of one run, say what to compare: --models, --variants or --k")
    try:
        tables = [items_of(path) for path in given.runs]
        table = compared(tables[0], tables[-1], differ)
        if given.same_pool and not table["same_pool"].fill_null(False).all():
            other = table.filter(~pl.col("same_pool").fill_null(False))["finding"].to_list()
            raise UserError(
                f"Pools differ in {len(other)} of {table.height} comparisons, such as: {other[0]}."
            )
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(plain_text("\n".join(lines(table))))
    if given.to:
        write_csv(given.to, table)
    if given.figure:
        from selfincorrect.report.figures import contrasts as figure  # matplotlib takes a second
        from selfincorrect.report.figures import style

        style.apply({"font_size": 9, "dpi": 200})
        style.save(figure.draw(table), [str(given.figure)])
    worse = (table["verdict"] == "worse").any()
    return WORSE if given.fail_if_worse and worse else 0


def lines(table: pl.DataFrame) -> list[str]:
    """Contrasts for a terminal: a line each, and in words."""
    rows = table.to_dicts()
    shared = sum(bool(row["same_pool"]) for row in rows)
    pools = "all of one pool" if shared == len(rows) else f"{shared} of {len(rows)} of one pool"
    count = "1 comparison" if len(rows) == 1 else f"{len(rows)} comparisons"
    return [
        f"{count}, {pools}; differences of DG-Diff are A − B, p is two-sided, by Holm",
        *(f"{row['task']}, k = {row['k']}, {_sides(row)}: {_told(row)}" for row in rows),
    ]


def _sides(row: Mapping[str, Any]) -> str:
    """Both cells as far as they differ, the first one whole."""
    one = f"{row['model']} {called(row['variant'], row['discriminator'], row['model'])}"
    way = called(row["other_variant"], row["other_discriminator"], row["other_model"])
    other = f"{row['other_model']} {way}"
    return one if one == other else f"{one} − {other}"


def _told(row: Mapping[str, Any]) -> str:
    if not row["n"]:
        return "no question in common"
    changed = f"{row['gained']} gained, {row['lost']} lost of {row['n']}"
    return f"{by_how_much(row)}, p = {row['p_holm']:.2g}, {changed}: {row['verdict']}"
