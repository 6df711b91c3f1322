"""The page of all tasks, generated from what they say of themselves."""

from selfincorrect.sources.fetch import describe
from selfincorrect.tasks import registry
from selfincorrect.tasks.base import executes, judges_of
from selfincorrect.tasks.registry import get_task

INTRODUCTION = """\
# Tasks

What can stand under `tasks:` by its name; a file of questions becomes one without code
([adding/task-from-file.md](adding/task-from-file.md)). The first source is the default, `source: package`
takes another; a local copy is `source: {path: …}`. Sources of the hub are pinned to a commit and, where it
is known, to the file's SHA-256.

This page is generated (`make docs`) from the tasks.

## Answered in words or numbers

"""
DESCRIBED = """

## More benchmarks

Each is a file of `selfincorrect/tasks/ready`, which says where its data is
and how answers are graded. Data of the hub needs the hub; of those in a package every gold answer is graded
right (`tests/unit/tasks/test_gold.py`), but one question of MBPP that is left out.

"""
MADE = """

## Puzzles that are made

Of any size, with an exact checker and a seed: `sudoku: {source: {generator: sudoku, sizes: [4, 6], count:
100, seed: 0}}`. The size says how hard they are; `results/tables/difficulty.csv` has skill by it.

"""
EXECUTING = """

## Programs that models write

`humaneval`, `mbpp`, `livecodebench` and tasks with `grade: code` run what models wrote, and only where the
task says `execute: true`. Each program runs in [bubblewrap](https://github.com/containers/bubblewrap)
(Debian: `apt-get install bubblewrap`): no network, no home, no environment, a temporary folder of 16 MiB,
10 seconds, 1 GiB a process, 16 processes. Tests run in a second sandbox and only send arguments and get
values, so a program can neither see nor change them. Without a sandbox nothing starts. Why a program is
wrong stands in the column `fault` of the grades; pass@j is in `pass_at.csv`.

`ifeval` needs `pip install 'lm_eval[ifeval]'`, `simpleqa` a judge (`judges: {judge: <model>}`);
`gpqa_diamond` asks for consent on the hub first.
"""


def tasks_page() -> str:
    """The page, a row a task."""
    modules = [f"| `{name}` | {_first_sentence(name)} | {_sources(name)} |" for name in registry.BUILT_IN]
    made = [name for name in registry.READY if "made" in get_task(name).SOURCES]
    others = [name for name in registry.READY if name not in made]
    head = "| task | what it is | data |\n| --- | --- | --- |\n"
    ready = "| task | what it is | graded by | paper | data |\n| --- | --- | --- | --- | --- |\n"
    return "".join(
        [
            INTRODUCTION, head, "\n".join(modules),
            DESCRIBED, ready, "\n".join(map(_row, others)),
            MADE, "| puzzles | what they are | sizes |\n| --- | --- | --- |\n", "\n".join(map(_puzzle, made)),
            EXECUTING,
        ]
    )  # fmt: skip


def _first_sentence(name: str) -> str:
    text = (getattr(get_task(name), "__doc__", None) or "").strip().split("\n\n")[0]
    judged = ". Judges: " + ", ".join(f"`{role}`" for role in judges_of(get_task(name))) + "."
    said = " ".join(text.split()).rstrip(".")
    return said + (judged if judges_of(get_task(name)) else ".")


def _row(name: str) -> str:
    told = registry.ready()[name]
    grade = f"`{told['grade']}`" + (", `execute: true`" if executes(get_task(name)) else "")
    return f"| `{name}` | {told['about']} | {grade} | {told['paper']} | {_sources(name)} |"


def _sources(name: str) -> str:
    sources = get_task(name).SOURCES.items()
    return "; ".join(f"`{called}`: {describe(source)} ({source.license})" for called, source in sources)


def _puzzle(name: str) -> str:
    told = registry.ready()[name]
    sizes = ", ".join(map(str, told["sources"]["made"]["sizes"]))
    return f"| `{name}` | {told['about']} | {sizes} by default |"
