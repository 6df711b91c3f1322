"""What Snakemake says of a run, in few lines: `snakemake --logger selfincorrect`. It is found by its name."""

from selfincorrect.terminal.handler import LogHandler

__all__ = ["LogHandler"]
