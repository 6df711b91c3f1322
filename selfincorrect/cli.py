"""The command `selfincorrect`: what there is beside Snakemake, as subcommands. Each module has a `main` of
its own.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import typer

COMMANDS = {
    "run": ("terminal.run", "Run an experiment, and print its results table."),
    "new": ("config.new", "Write a commented configuration of a model and a task."),
    "estimate": ("terminal.run:estimate", "What a run will take: answers, tokens, cost, hours, disk."),
    "audit": ("terminal.run:audit", "Whether published p-values can come from published scores."),
    "show": ("report.show", "Print the results table of a run."),
    "compare": ("report.compare", "Two runs, or two models, variants or k of one, by what they chose."),
    "collect": ("report.collect", "The metrics of several runs in one table."),
    "findings": ("report.findings", "What a run says of ways of asking, as a page with figures."),
    "reproduce": ("record.reproduce", "Run a recorded run again in a new folder, and compare."),
    "store": ("models.store", "Check a response store."),
    "power": ("measure.power", "The smallest DG-Diff that a planned run can find."),
    "scale": ("plan.scale", "Plan an experiment on paper: jobs, GPU hours, wall time, disk."),
    "serve": ("cluster.with_server", "The same as with-server."),
    "with-server": ("cluster.with_server", "Run a command beside a model server that is a SLURM job."),
    "simulate": ("simulation.simulate", "Check tests, intervals and power on simulated pools."),
    "reference": (
        "reference",
        "Write the generated pages: schema and table of the configuration, columns of tables.",
    ),
}
"""By name: its module, perhaps with a function that is not `main`, and what it does."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measure whether a language model can tell its own good answers from its bad ones.",
)


def called(module: str) -> Callable[[Sequence[str]], int | None]:
    """The function of a command, by what COMMANDS has of it."""
    name, _, function = module.partition(":")
    found: Callable[[Sequence[str]], int | None]
    found = getattr(import_module(f"selfincorrect.{name}"), function or "main")
    return found


def _command(module: str) -> Callable[[], None]:
    def run() -> None:
        # As they were given: the parser here would take out a `--`, behind which another command begins.
        raise typer.Exit(called(module)(sys.argv[2:]) or 0)

    return run


for _name, (_module, _help) in COMMANDS.items():
    # Its arguments and --help are the module's.
    _settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(_name, help=_help, context_settings=_settings, add_help_option=False)(_command(_module))
