"""`selfincorrect new task`: the entry of a task for a file of questions, to begin with."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from selfincorrect.errors import UserError
from selfincorrect.sources.rows import read_rows
from selfincorrect.tasks.gsm8k import number

# What columns of questions and answers are often called, the likeliest first.
_QUESTIONS = ("question", "prompt", "problem", "query", "input", "text")
_ANSWERS = ("answer", "answers", "target", "label", "solution", "output", "reference")
_MATHEMATICS = re.compile(r"\\[a-z]+\{|\\(?:sqrt|pi|infty)|\$.+\$|\w\^\w")
_OPTIONS = ("options", "choices")
LIMIT = 200  # questions to begin with


def main(arguments: Sequence[str]) -> int:
    """Print the entry of a task for a file of questions; exit code 0, or 1 after an error."""
    parser = argparse.ArgumentParser(
        prog="selfincorrect new task", description="The entry of a task for a file of questions."
    )
    parser.add_argument("file", type=Path, help="CSV, JSON lines, parquet, …")
    try:
        print("tasks:   # or put what follows under the `tasks:` that you have")
        print(task_entry(parser.parse_args(arguments).file))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def task_entry(path: Path) -> str:
    """The entry that goes under `tasks:` for a file of questions, indented, as far as its first row tells.

    Raises UserError for a file without rows, or in a format that cannot be read.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    rows = list(islice(read_rows(path), LIMIT + 1))
    if not rows:
        raise UserError(f"{path} has no rows.")
    row = rows[0]
    question, answer, options = (_likely(row, names) for names in (_QUESTIONS, _ANSWERS, _OPTIONS))
    told: dict[str, Any] = {
        "source": {"path": str(path.expanduser().absolute())},
        "question": question or "?",
        "answer": answer or "?",
    }
    value = row.get(answer or "")
    if options:
        told |= {"grade": "choice", "options": options}
    elif value is not None and number(str(value)) is not None:
        told["grade"] = "number"
    elif value is not None and _MATHEMATICS.search(str(value)):
        told["grade"] = "math"
    if len(rows) > LIMIT:
        told["limit"] = LIMIT
    name = alias_of(path.stem).replace("-", "_")
    entry = yaml.safe_dump({name: told}, sort_keys=False, allow_unicode=True)
    lines = [
        f"# The columns of {path.name}: {', '.join(row)}.",
        "# What else can be said (demonstrations, other accepted answers, …): docs/adding/task-from-file.md",
        *entry.splitlines(),
    ]
    return "\n".join(f"  {line}" for line in lines)


def _likely(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The column of a row that has one of `names`, in any case."""
    return next((column for name in names for column in row if column.lower() == name), None)


def alias_of(model: str) -> str:
    """A name for tables and folders, of a path, a hub id, or what a server calls a model."""
    stem = re.sub(r"\.gguf$", "", model.rstrip("/").rsplit("/", 1)[-1])
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_").lower()[:64]
    return name or "mine"
