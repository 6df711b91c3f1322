"""The command `selfincorrect`: what there is beside Snakemake, as subcommands. Each module has a `main` of
its own.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import typer

from selfincorrect.commands import COMMANDS

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
