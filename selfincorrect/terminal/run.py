"""`selfincorrect run`: an experiment through the workflow, and its results table.

What it does not know goes to Snakemake: `selfincorrect run --workflow-profile slurm -n`.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from selfincorrect.errors import UserError

PACKAGE = Path(__file__).parent.parent
# In a checkout the workflow lies beside the package, in an installed package inside it.
PLANNING = {
    "-n",
    "--dry-run",
    "--unlock",
    "--lint",
    "--dag",
    "--rulegraph",
}  # nothing is run, nothing is shown
PROFILES = ("--profile", "--workflow-profile")  # say how many cores there are
PLACES = (PACKAGE.parent, PACKAGE / "_workflow")


def estimate(arguments: Sequence[str]) -> int:
    """What a run will take, before anything is spent: answers, tokens, cost, hours, disk."""
    return _run("estimate", estimate.__doc__, arguments, "estimate")


def audit(arguments: Sequence[str]) -> int:
    """Whether published p-values can come from published scores: the paper's tables, and those configured."""
    return _run("audit", audit.__doc__, arguments, "audit")


def main(arguments: Sequence[str]) -> int:
    """Run, then print the results; the exit code of Snakemake."""
    return _run("run", __doc__, arguments)


def _run(name: str, what: str | None, arguments: Sequence[str], *targets: str) -> int:
    parser = argparse.ArgumentParser(
        prog=f"selfincorrect {name}",
        description=(what or "").split("\n")[0],
        epilog="Other words go to Snakemake.",
        allow_abbrev=False,  # --config is Snakemake's, and no short form of --configfile
    )
    parser.add_argument("--configfile", help="the experiment; default: config.yaml of the workflow")
    parser.add_argument("--directory", type=Path, default=Path(), help="where results go; default: here")
    parser.add_argument("--cores", help="default: what a profile that is named says, else 2")
    parser.add_argument("--verbose", action="store_true", help="all that Snakemake and its jobs say")
    given, more = parser.parse_known_args(arguments)
    try:
        wanted = [*more, *(["--", *targets] if targets else [])]
        command = command_of(given.configfile, given.directory, given.cores, given.verbose, wanted)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    code = _followed(command)
    if code == 0 and not targets and not PLANNING & set(more):
        from selfincorrect.report.show import main as show

        show([str(given.directory / "results")])
    return code


def command_of(
    configfile: str | None, directory: Path, cores: str | None, verbose: bool, more: Sequence[str] = ()
) -> list[str]:
    """Snakemake's command line, with two cores where neither `cores` nor a profile says how many.

    Raises UserError where the workflow or the configuration is not found.
    """
    if configfile and not Path(configfile).expanduser().is_file():
        raise UserError(f"There is no file {configfile}. `selfincorrect new` writes one to begin with.")
    workflow = next((place for place in PLACES if (place / "Snakefile").is_file()), None)
    if workflow is None:
        raise UserError(
            f"The workflow is missing in {' and '.join(map(str, PLACES))}. Install the package again."
        )
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(workflow / "Snakefile")]
    # Snakemake takes every word behind these two for one of theirs: an option that takes one follows.
    command += ["--configfile", configfile] if configfile else []
    command += [] if verbose else ["--logger", "selfincorrect"]
    if cores is None and not any(word.split("=")[0] in PROFILES for word in more):
        cores = "2"
    command += ["--directory", str(directory)]
    return [*command, *(["--cores", cores] if cores else []), *more]


def _followed(command: Sequence[str]) -> int:
    """The exit code of `command`; what this process is told to do, that one is told."""
    child = subprocess.Popen(command)
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),  # a terminal tells both
    }
    try:
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
