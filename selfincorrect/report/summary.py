"""The results of a run for a terminal: a few lines for each model and task, none wider than WIDTH."""

from collections.abc import Collection, Iterator
from textwrap import wrap
from typing import Any

import polars as pl

from selfincorrect.measure.discernment import ends
from selfincorrect.report.shown import NOTHING, SOME_MIXED, interval_of, probability, score, task_name

WIDTH = 100
_WAY = 42  # the longest name that is shown whole
LINED = ("oracle", "random")  # selectors that stand in the heading, or for nothing


def summary(metrics: pl.DataFrame, knowing: Collection[str]) -> list[str]:
    """The lines. Ways of `metrics` are named as in a `labelled` table; those of `knowing` use the grades."""
    lines = [f"{'':<{_WAY + 2}}{'S_disc':>7}{'DG-Diff':>8}"]
    for _, cell in metrics.group_by("model", "task", "k", maintain_order=True):
        lines += [*_target(cell, set(knowing)), ""]
    graded = metrics.filter(pl.col("unit") == "grade").height > 0
    lines += _wrapped(
        f"Scores in percent{', of MT-Bench as grades from 1 to 10' if graded else ''}; DG-Diff with its 95 % "
        "interval; p: one-sided, that chance is as far on that side, corrected for all cells in which "
        "a model chose (Holm)." + (" *: uses the grades, a control." if knowing else "")
    )
    return [*lines, *_notes(metrics)]


def _target(cell: pl.DataFrame, knowing: set[str]) -> Iterator[str]:
    first = cell.row(0, named=True)
    unit = first["unit"]
    heading = f"{first['model']} on {task_name(first['task'])}, k = {first['k']}: {first['n']} questions"
    if not first["n"]:
        yield f"{heading}: none has a grade"
        return
    scores = ((name, first[column]) for name, column in _LINES)
    told = ", ".join(f"{name} {score(value, unit)}" for name, value in scores if value is not None)
    yield from _wrapped(f"{heading}, {first['mixed_questions']} mixed; {told}")
    rows = cell.filter(~pl.col("selector").is_in(LINED)).to_dicts()
    for row in rows:
        if row["informative"]:
            yield _line(row, row["variant"] in knowing)
    silent = [_why(row) for row in rows if not row["informative"]]
    if silent:
        count = "1 way cannot" if len(silent) == 1 else f"{len(silent)} ways cannot"
        yield from _wrapped(f"  {count} speak about discrimination: {'; '.join(silent)}", "    ")


_LINES = (("S_gen", "s_gen"), ("vote", "majority"), ("oracle", "oracle"))


def _line(row: dict[str, Any], knows: bool) -> str:
    name = row["variant"] + (" *" if knows else "")
    name = name if len(name) <= _WAY else f"{name[: _WAY - 1]}…"
    exact = row["mixed_questions"] < SOME_MIXED and row["exact_low"] is not None
    low, high = (row["exact_low"], row["exact_high"]) if exact else ends(row)
    gained = score(row["dg_diff"], row["unit"], True)
    p = row["p_worse_holm"] if row["dg_diff"] < 0 else row["p_holm"]
    told = interval_of(row["unit"], low, high) + (" exact" if exact else "")
    return (
        f"  {name:<{_WAY}}{score(row['s_disc'], row['unit']):>7}{gained:>8}"
        f"  {told:<22}{'' if p is None else f'p {probability(p)}'}"
    ).rstrip()


def _why(row: dict[str, Any]) -> str:
    """Why a way cannot speak, in a few words."""
    if not row["mixed_questions"]:
        return f"{row['variant']} (nothing mixed)"
    if row["nearly_constant"]:
        return f"{row['variant']} (position {row['top_slot']} in {100 * row['top_slot_share']:.0f} %)"
    if row["tied_mixed"] == 1:
        return f"{row['variant']} (all tie)"
    if row["valid"] == row["choices"]:
        return f"{row['variant']} (only {row['choices']} choices)"
    return f"{row['variant']} ({row['valid']} valid of {row['choices']})"


def _notes(metrics: pl.DataFrame) -> Iterator[str]:
    """Each different note of the ways that can speak, once, with where it holds."""
    noted = metrics.filter((pl.col("note") != "") & pl.col("informative"))
    for (text,), cells in noted.group_by("note", maintain_order=True):
        where = cells.select(pl.format("{} {} {}", "model", "task", "variant")).to_series().to_list()
        shown = ", ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")
        yield from _wrapped(f"Note ({shown}): {text}")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return wrap(text, WIDTH, subsequent_indent=indent, drop_whitespace=True) or [NOTHING]
