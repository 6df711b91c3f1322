"""Skill by difficulty: of questions of each level, and of those that the model solves more or less often."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.measure.intervals import interval
from selfincorrect.measure.skill import COLUMNS as SKILL
from selfincorrect.measure.skill import skill_row
from selfincorrect.report.columns import COUNT, DISCRIMINATOR, MODEL, NUMBER, TASK, VARIANT, K

LEVEL, SOLVED = "level", "solved"
COLUMNS = [
    MODEL, TASK, K, VARIANT, DISCRIMINATOR,
    Column("by", pl.String, "what questions are told apart by: the task's `level`, or how often they are "
        "`solved` by the candidates beyond the k shown"),
    Column("group", pl.String, "the level; of `solved` the share from and up to which"),
    Column("questions", COUNT, "questions of it that count"),
    Column("mixed", COUNT, "those whose candidates differ in grade"),
    Column("s_gen", NUMBER, "mean grade of their candidates", "score"),
    Column("s_disc", NUMBER, "mean grade of the choices", "score"),
    Column("dg_diff", NUMBER, "s_disc − s_gen", "score"),
    Column("ci_low", NUMBER, "lower end of its clustered 95 % interval; empty without spread", "score"),
    Column("ci_high", NUMBER, "upper end", "score"),
    Column("skill", NUMBER, "how often a best candidate is taken where it would otherwise be drawn, as of "
        "metrics"),
    Column("skill_low", NUMBER, "lower end of its exact 95 % interval"),
    Column("skill_high", NUMBER, "upper end"),
]  # fmt: skip
PARTS = 5  # groups of questions by how often they are solved
MOST = 100  # levels of a task; more are names, not levels


def difficulty_table(
    items: pl.DataFrame,
    datasets: Mapping[str, pl.DataFrame],
    grades: Mapping[tuple[str, str], pl.DataFrame],
    uncompared: Collection[str],
) -> pl.DataFrame:
    """Rows of COLUMNS, for each cell but those of the selectors `uncompared`.

    `items` are rows of per_question; `datasets` have `question_id` and `details`, by task. The candidates
    that were shown do not say how hard a question is: what is chosen among them would then depend on it.
    """
    rows: list[dict[str, Any]] = []
    known = items.filter(pl.col("chosen_grade").is_not_null() & ~pl.col("selector").is_in(list(uncompared)))
    levels = {task: levels_of(table) for task, table in datasets.items()}
    keys = ("model", "task", "k", *WAY)
    for key, cell in known.group_by(keys, maintain_order=True):
        told = dict(zip(keys, key, strict=True))
        groups = [(LEVEL, levels[told["task"]])]
        if cell["unit"][0] == "percent":
            groups.append((SOLVED, solved(grades[told["model"], told["task"]], told["k"])))
        for by, group_of in groups:
            for group, part in _parts(cell, group_of):
                rows.append(told | {"by": by, "group": group} | _row(part))
    return pl.DataFrame(rows, schema=schema_of(COLUMNS), orient="row")


def levels_of(dataset: pl.DataFrame) -> dict[str, str]:
    """The level of each question of a task; none where there is one level alone, or more than MOST."""
    rows = dataset.select("question_id", "details").iter_rows()
    found = {question: level for question, told in rows if (level := json.loads(told).get("level"))}
    return found if 1 < len(set(found.values())) <= MOST else {}


def solved(grades: pl.DataFrame, k: int) -> dict[str, str]:
    """For each question the group of how often candidates beyond the first k are right; none without any."""
    beyond = grades.filter((pl.col("sample") >= k) & pl.col("grade").is_not_null())
    means = beyond.group_by("question_id").agg(pl.col("grade").mean())
    found = {}
    for question, mean in means.iter_rows():
        part = min(int(mean * PARTS), PARTS - 1)
        found[question] = f"{part / PARTS:.1f}–{(part + 1) / PARTS:.1f}"
    return found


def _parts(cell: pl.DataFrame, group_of: Mapping[str, str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The questions of each group, numbers in their order."""
    named = cell.with_columns(
        pl.col("question_id").replace_strict(group_of, default=None, return_dtype=pl.String).alias("group")
    )
    parts = {str(group): part for (group,), part in named.drop_nulls("group").group_by("group")}
    yield from sorted(parts.items(), key=lambda each: in_order(each[0]))


def in_order(group: str) -> tuple[float, str]:
    """What sorts groups: by the first number in their name, then by the name."""
    number = re.search(r"\d+(?:\.\d+)?", group)
    return float(number.group()) if number else 0.0, group


def _row(part: pl.DataFrame) -> dict[str, Any]:
    f = np.array(part["grades"].to_list(), dtype=float)
    c, clusters = part["chosen_grade"].to_numpy(), part["cluster"].to_numpy()
    ties = np.array([len(shared) if shared else 1 for shared in part["shared"].to_list()])
    means = f.mean(axis=1)
    low, high = interval(c - means, clusters)
    skill = skill_row(f, c, ties, len(f))
    return {
        "questions": part.height,
        "mixed": int((f.max(axis=1) > f.min(axis=1)).sum()),
        "s_gen": float(means.mean()),
        "s_disc": float(c.mean()),
        "dg_diff": float((c - means).mean()),
        "ci_low": None if np.isnan(low) else low,
        "ci_high": None if np.isnan(high) else high,
        **{name: skill[name] for name in SKILL[:3]},
    }
