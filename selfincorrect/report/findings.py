"""What a run says of ways of asking, or of accuracy against compute, as a page beside its figures."""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from selfincorrect.columns import WAY
from selfincorrect.errors import UserError
from selfincorrect.report import compute_page, ways
from selfincorrect.report.figures.style import scale
from selfincorrect.report.shown import labelled, task_name

FIGURES = ("selectors", "best_of")
TITLE = "# What ways of asking find"
MADE = """\
Made by `selfincorrect findings` from the tables of a run of `workflow/experiments/ways-of-asking.yaml`
({questions} questions, k = {k}); no number is typed by hand. What each way is, is in [asking.md](asking.md);
what the numbers mean, in [statistics.md](statistics.md)."""
TABLE = """\
DG-Diff in points with its 95 % interval, over all questions; p_comp: of two candidates of a question, how
often the better one scores higher, in percent (50 is chance); requests a question. In brackets: it cannot
speak about discrimination, since all its candidates tie or nearly all its picks are of one position."""


def main(arguments: Sequence[str]) -> int:
    """Write the page and its figures; exit code 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="selfincorrect findings", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("page", type=Path, help="the page to write; its figures come beside it")
    parser.add_argument(
        "--about", choices=list(PAGES), default="asking", help="ways of asking, or accuracy against compute"
    )
    given = parser.parse_args(arguments)
    try:
        write(given.run, given.page, given.about)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write(folder: Path, page: Path, about: str = "asking") -> None:
    """Write what the run in `folder` says of one of PAGES. Raises UserError if it is not finished."""
    made, tables, pictures = PAGES[about]
    results = folder / "results" if (folder / "results").is_dir() else folder
    paths = [results / f"tables/{name}.parquet" for name in tables]
    figures = [results / f"figures/{name}.png" for name in pictures]
    if missing := [str(path) for path in (*paths, *figures) if not path.is_file()]:
        raise UserError(f"There is no {missing[0]}. Name the folder of a finished run.")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(made(*map(pl.read_parquet, paths)), encoding="utf-8")
    for figure in figures:
        shutil.copyfile(figure, page.parent / figure.name)


def text(selectors: pl.DataFrame, metrics: pl.DataFrame) -> str:
    """The page, from the tables `selectors` and `metrics` of a run."""
    k = selectors["k"].max()
    selectors, metrics = (table.filter(pl.col("k") == k) for table in (selectors, metrics))
    counts = metrics.select("task", "n").unique("task", maintain_order=True).rows()
    questions = ", ".join(f"{task_name(task)} {n}" for task, n in counts)
    parts = [TITLE, MADE.format(questions=questions, k=k)]
    parts.append("\n".join(f"- {_escaped(line)}" for line in ways.findings(selectors)))
    parts += ["![DG-Diff of every way of choosing](selectors.png)", "![Best of j](best_of.png)", TABLE]
    keys = ["model", "task", *WAY]
    known = selectors.join(metrics.select(*keys, "unit", "informative"), on=keys, nulls_equal=True)
    selectors, known = labelled(selectors), labelled(known)
    for (task,), cell in selectors.group_by("task", maintain_order=True):
        parts += [f"## {task_name(str(task))}", _table(cell, known.filter(pl.col("task") == task))]
    return "\n\n".join(parts) + "\n"


PAGES: dict[str, tuple[Callable[..., str], Sequence[str], Sequence[str]]] = {
    "asking": (text, ("selectors", "metrics"), FIGURES),
    "compute": (compute_page.text, compute_page.NEEDED, compute_page.FIGURES),
}
"""What a page is made by, of which tables, and beside which figures."""


def _table(cell: pl.DataFrame, known: pl.DataFrame) -> str:
    models = cell["model"].unique(maintain_order=True).to_list()
    heads = [f"{model}: {name}" for model in models for name in ("DG-Diff", "p_comp", "requests")]
    lines = [["way", *heads], ["---"] * (1 + len(heads))]
    rows = {(row["variant"], row["model"]): row for row in known.to_dicts()}
    for variant in cell["variant"].unique(maintain_order=True):
        told = [each for model in models for each in _told(rows.get((variant, model)))]
        lines.append([variant, *told])
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _told(row: dict[str, float] | None) -> list[str]:
    if row is None:
        return [""] * 3
    factor = scale(str(row["unit"]))
    shown = f"{factor * row['dg_diff']:+.1f}"
    if row["ci_low"] is not None:
        shown += f" [{factor * row['ci_low']:+.1f}, {factor * row['ci_high']:+.1f}]"
    comparison = "" if row["p_comp"] is None else f"{100 * row['p_comp']:.0f}"
    return [shown if row["informative"] else f"({shown})", comparison, f"{row['calls'] or 0:.1f}"]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("_", "\\_") if not set(text) <= {"-"} else text
