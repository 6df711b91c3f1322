"""What a simulation found, as a page of Markdown beside its figures."""

from collections.abc import Mapping, Sequence

import polars as pl

INTRODUCTION = """\
# What simulation says

Pools and choosers are drawn whose skill is known; what the tables report is computed from them and
counted. `make simulate` makes this page, its tables (CSV) and its figures; {draws:,} draws of each kind,
seed {seed}. The test suite runs a short form of it. The kinds of pools are in
`selfincorrect/simulation/worlds.py`: 500 questions of which 30 % are mixed (or as their name says), four
candidates each.

![Net, skill, evidence and contrasts in ten kinds of pools](worlds.png)

![Scores, intervals and the first tests, on pools like a real one](simulation.png)
"""
SIZES = """\
## Tests where there is no skill

How often each test rejects at 5 % (in percent). A valid test stays at or below 5.5 % but for two standard
errors of the simulation; evidence and tests of few questions may be stricter. Where the right answer
comes first and the first position is preferred, the old test takes luck for skill, and net does not."""
COVERED = """\
## Intervals

How often the 95 % interval holds the truth (in percent), without skill and with a skill of 0.3."""
FOUND = """\
## What is found

How often a chooser is called better among 1,319 questions of which a quarter is mixed (in percent): with
skill, by one look at the end; without, by 26 looks while the questions grow."""

OLDER = """\
## The first tests, on pools like a real one

How often they reject uniform choices at 5 % (in percent)."""


def page(tables: Mapping[str, pl.DataFrame], draws: int, seed: int) -> str:
    """The page of the `tables` that `simulate` makes, by name."""
    found = tables["skill_found"].select("test", pl.format("skill {}", "skill").alias("of"), "found")
    looks = tables["looks"].select(
        "test", pl.lit("none, 26 looks").alias("of"), pl.col("better").alias("found")
    )
    covered = tables["worlds_coverage"].select(
        "world", pl.format("{}, skill {}", "interval", "skill").alias("interval"), "covered"
    )
    older = tables["rejections"].select("test", "grades", "rejected")
    parts = [
        INTRODUCTION.format(draws=draws, seed=seed),
        SIZES,
        wide(tables["worlds"], "world", "test", "rejected"),
        COVERED,
        wide(covered, "world", "interval", "covered"),
        FOUND,
        wide(pl.concat([found, looks]), "test", "of", "found"),
        OLDER,
        wide(older, "test", "grades", "rejected"),
    ]
    return "\n\n".join(parts) + "\n"


def wide(table: pl.DataFrame, row: str, column: str, value: str) -> str:
    """A table of Markdown with a row and a column for each value of these, in order; shares in percent."""
    rows, columns = (table[name].unique(maintain_order=True).to_list() for name in (row, column))
    cells = {(one, other): share for one, other, share in table.select(row, column, value).iter_rows()}
    lines = [[row, *columns], ["---"] * (len(columns) + 1)]
    lines += [[each, *(_percent(cells.get((each, other))) for other in columns)] for each in rows]
    return "\n".join(_line(line) for line in lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
