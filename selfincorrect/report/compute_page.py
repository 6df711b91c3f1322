"""What a run says of accuracy against compute, as a page of Markdown beside its figure."""

import polars as pl

from selfincorrect.report.figures.style import scale
from selfincorrect.report.shown import task_name
from selfincorrect.report.worth import amount, costed, ends, named, worth

NEEDED = ("compute", "overtaking", "metrics")  # tables
FIGURES = ("compute",)
TITLE = "# What a choice is worth"
INTRO = """\
Is it better to ask the model which of its answers is best, or to draw more answers and vote? From one pool of
answers all of it can be computed: what any *j* of its *n* candidates score in each way of choosing, and what
drawing them and choosing among them takes.

Made by `selfincorrect findings --about compute` from the tables of a run of
`workflow/experiments/compute.yaml` ({questions} questions, n = {n}); no number is typed by hand. How scores
and operations are counted is in [statistics.md](statistics.md#what-a-choice-is-worth); every point is in
`results/tables/compute.csv`."""
FRONT = """\
What scores most for what it takes, by powers of two, with 95 % intervals (resampled questions), and billions
of operations a question: demonstrations read for other questions anyway, and counted for each."""
OVERTAKING = """\
From which budget on a way of choosing scores more than votes for as much, with its 95 % interval, and the
share of resamples in which it does within this pool."""


def text(compute: pl.DataFrame, overtaking: pl.DataFrame, metrics: pl.DataFrame) -> str:
    """The page, from the tables `compute`, `overtaking` and `metrics` of a run."""
    told = costed(compute).filter(pl.col("cost").is_not_null())
    counts = told.group_by("task", maintain_order=True).agg(pl.col("questions").max()).rows()
    questions = ", ".join(f"{task_name(task)} {n}" for task, n in counts)
    parts = [TITLE, INTRO.format(questions=questions, n=told["n"].max())]
    parts.append("\n".join(f"- {line}" for line in worth(compute, overtaking)))
    parts += ["![Score against compute](compute.png)", FRONT]
    for (task, model), mine in told.group_by("task", "model", maintain_order=True):
        unit = metrics.filter(pl.col("task") == task)["unit"].item(0)
        here = (pl.col("task") == task) & (pl.col("model") == model)
        parts += [f"## {task_name(str(task))}, {model}", _front(mine, scale(unit))]
        votes = named(overtaking.filter(here & (pl.col("counted") == "shared")))
        if votes.height:
            parts.append(_overtaking(votes))
    return "\n\n".join([*parts[:5], OVERTAKING, *parts[5:]]) + "\n"


def _front(mine: pl.DataFrame, factor: float) -> str:
    heads = ("way", "answers drawn", "score", "operations", "with demonstrations")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    ahead = mine.filter("front").sort("cost")
    # Of one way's many points some: the first, powers of two, and the last before another way leads.
    last = (pl.col("way") != pl.col("way").shift(-1)).fill_null(value=True)
    some = pl.col("j").is_in([2**power for power in range(12)])
    for row in ahead.filter(last | some).iter_rows(named=True):
        score = f"{factor * row['score']:.1f}"
        if row["ci_low"] is not None:
            score += f" [{factor * row['ci_low']:.1f}, {factor * row['ci_high']:.1f}]"
        way = "a single answer" if row["j"] == 1 else row["way"]
        took = (_billions(row[name]) for name in ("operations", "operations_alone"))
        lines.append(f"| {' | '.join((way, str(row['j']), score, *took))} |")
    return "\n".join(lines)


def _billions(value: float | None) -> str:
    return "" if value is None else f"{value / 1e9:.3g}"


def _overtaking(votes: pl.DataFrame) -> str:
    lines = ["| way | overtakes votes from | in |", "| --- | --- | --- |"]
    for row in votes.iter_rows(named=True):
        told = (
            "not within this pool"
            if row["budget"] is None
            else f"{amount(row['budget'], row['unit'])}, {ends(row)}"
        )
        lines.append(f"| {row['way']} | {told} | {row['overtaken']:.0%} |")
    return "\n".join(lines)
