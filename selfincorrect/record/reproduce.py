"""`selfincorrect reproduce RUN`: run a recorded run again in a new folder, and compare what came out."""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfincorrect.config.check.experiment import check
from selfincorrect.config.model_section import ModelConfig
from selfincorrect.config.schema import Config
from selfincorrect.engines.registry import engine_kind
from selfincorrect.errors import UserError
from selfincorrect.io import read_json, write_json
from selfincorrect.jobs.job import plain_text
from selfincorrect.jobs.provenance import commit, versions
from selfincorrect.record.read import RECORD, read_record
from selfincorrect.sources.kinds import is_folder

ROOT = Path(__file__).parent.parent.parent


def code_problems(record: Mapping[str, Any], here: str) -> list[str]:
    """Why code at the commit `here` is not that of the run, with what to do; empty if it is."""
    wanted = record["commit"]
    if wanted == "unknown" or wanted.endswith("-dirty"):
        nearest = f" The nearest: git checkout {wanted.removesuffix('-dirty')}" if wanted != "unknown" else ""
        unnamed = f"The run was made by code that no commit names ({wanted})"
        return [f"{unnamed}, so nobody can be sure to have it.{nearest}"]
    if wanted != here:
        return [f"The run was made by the code at commit {wanted}; this is {here}. Do: git checkout {wanted}"]
    return []


def version_problems(record: Mapping[str, Any], here: Mapping[str, str]) -> list[str]:
    """Which versions `here` are not those of the run, with what to do; Python's last part may differ."""

    def told(found: Mapping[str, str]) -> dict[str, str]:
        return {**found, "python": ".".join(found["python"].split(".")[:2])}

    wanted, present = told(record["versions"]), told(here)
    other = [
        f"{name} {wanted.get(name, 'none')} (here {present.get(name, 'none')})"
        for name in sorted(wanted.keys() | present.keys())
        if wanted.get(name) != present.get(name)
    ]
    build = "cpu" if wanted.get("torch", "").endswith("+cpu") else "cuda"
    problems = []
    if other:
        problems.append(
            f"The run was made with {', '.join(other)}. Do, at the run's commit: "
            f"make .venv/.run LOCK={build} PYTHON=python{wanted['python']}"
        )
    if before := record["versions_before"]:
        said = "; ".join(", ".join(f"{name} {each}" for name, each in was.items()) for was in before)
        problems.append(
            "Parts of the run were made earlier, with other versions than its end; "
            f"nothing installs both: {said}"
        )
    return problems


def located(config: Mapping[str, Any], files: Path) -> dict[str, Any]:
    """`config` with its relative paths absolute, from the folder `files`, and without the response store.

    The store is left to its default: a shared store would answer from the first run instead of asking again.
    Raises UserError for files that are not there.
    """
    missing: list[str] = []

    def walk(value: Any, keys: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            paths = {key: (*keys, key) for key in value}
            return {key: walk(value[key], path) for key, path in paths.items() if path != ("run", "store")}
        if isinstance(value, list):
            return [walk(each, keys) for each in value]
        if not isinstance(value, str) or not _is_path(config, keys, value):
            return value
        try:
            # An absolute path stays what it is.
            found = files / Path(value.replace("\0", "\ufffd")).expanduser()
            there = found.exists()
        except (RuntimeError, OSError):  # the home of nobody, a name that is too long
            there = False
        if not there:
            missing.append(f"- {'.'.join(keys)}: {value[:200]}")
            return value
        return str(found.resolve())

    changed: dict[str, Any] = walk(config, ())
    if missing:
        listed = "\n".join(missing)
        raise UserError(
            f"Files of the configuration are not in {files}:\n{listed}\n"
            "Relative paths count from the folder of the run, two above its record. "
            "Put the files there, or name their folder: --files FOLDER (make: FILES=FOLDER)."
        )
    return changed


def _is_path(config: Mapping[str, Any], keys: tuple[str, ...], value: str) -> bool:
    """Whether the text `value` at `keys` of the configuration is the path of a file or folder."""
    match keys:
        case ("include",):
            return True
        case ("models", name, "source"):
            kind = engine_kind(config["models"][name].get("engine", "transformers"))
            return kind.source == "file" or (kind.in_process and is_folder(value))
        case ("models", _, "adapter"):
            return True
        case ("audit", _):
            return True
        case _:
            return keys[-1] == "path"  # of pools and of the questions of tasks


def compared(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, str]:
    """`same`, or what is different, for each model, data set and result of the record `wanted`."""
    verdicts = {}
    for section, prefix in (("models", "model "), ("data", "data "), ("results", "")):
        for name in wanted[section] | found[section]:
            verdicts[prefix + name] = _verdict(wanted[section].get(name), found[section].get(name))
    return verdicts


def _verdict(wanted: Any, found: Any) -> str:
    if wanted is None or found is None:
        return "different: only in this run" if wanted is None else "different: missing here"
    if isinstance(wanted, Mapping) and "digest" in wanted:  # a model: where its files lie may differ
        wanted, found = wanted["digest"], found.get("digest") if isinstance(found, Mapping) else None
    if wanted == found:
        return "same"
    if not (isinstance(wanted, Mapping) and isinstance(found, Mapping)):
        return "different"
    columns = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    return f"different in {', '.join(columns)}"


def prepare(folder: Path, config: Mapping[str, Any]) -> Path:
    """Write `config` into `folder`, new or left by the same reproduction, and return the path of the file.

    Raises UserError if the folder holds other things.
    """
    path = folder / "configuration.json"
    if folder.exists() and any(folder.iterdir()) and not (path.exists() and read_json(path) == config):
        raise UserError(
            f"{folder} is not empty, and not of this reproduction. Name a new folder (make: DIR=again)."
        )
    # It is JSON, since Snakemake evaluates expressions in YAML.
    write_json(path, dict(config), sort=False)
    return path


def confirm(config: Config, yes: bool) -> None:
    """Have a person agree to the servers that a record names, and to the keys that they get.

    A stranger's record may send any environment variable anywhere. Raises UserError without agreement.
    """
    told = []
    for server in filter(None, (each.server for each in config.weighted.values())):
        key = f"with the value of the environment variable {server.key}" if server.key else "without a key"
        told.append(f"- prompts go to {server.url}, {key}")
    told = list(dict.fromkeys(told))
    for name, each in config.weighted.items():
        if isinstance(each, ModelConfig) and each.trust_remote_code:
            told.append(f"- code that comes with the model {name} is run")
    agreed(told, yes)


def agreed(told: Sequence[str], yes: bool) -> None:
    """Have a person agree to what is `told` of a record, unless there is nothing or they said `yes` before.

    Raises UserError without agreement.
    """
    if not told or yes:
        return
    listed = plain_text("\n".join(told))
    if not sys.stdin.isatty():
        raise UserError(
            f"This record asks for what only you can allow:\n{listed}\nIf you agree: --yes (make: YES=1)."
        )
    print(f"If this record is run:\n{listed}")
    if input("Write yes to agree: ").strip().lower() != "yes":
        raise UserError("Nothing was run.")


def reproduce(
    run: Path, folder: Path, files: Path | None, cores: str, force: bool, yes: bool, more: Sequence[str]
) -> int:
    """Run the record `run` again in `folder`, print what is the same, and return the exit code of `main`.

    `files` is the folder that relative paths count from, `force` goes on with other code or versions, `yes`
    agrees to what `confirm` asks, `more` are further arguments of Snakemake. Nothing of the record is run or
    sent before it was checked. Raises UserError.
    """
    record = read_record(run)
    try:
        config = located(record["configuration"], files or run.absolute().parent.parent)
        # Before it is checked, for which its modules are run.
        modules = config.get("include")
        agreed([f"- the code in {modules} is run"] if modules else [], yes)
        checked = check(config)
    except RecursionError:
        raise UserError(f"{run} is no whole record: its configuration is nested too deep.") from None
    problems = [*code_problems(record, commit(ROOT)), *version_problems(record, versions())]
    if problems and not force:
        go_on = "Or go on despite this, and see what differs: --force (make: FORCE=1)."
        raise UserError("\n".join([*problems, go_on]))
    confirm(checked, yes)
    for each in problems:
        print(plain_text(f"In spite of this: {each}"))
    configuration = prepare(folder, config)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", cores, *more, "--configfile", str(configuration)]
    print("==", *map(plain_text, command), flush=True)
    code = subprocess.run(command).returncode
    if code or not (folder / RECORD).exists():
        print(
            f"Nothing compared: Snakemake ended with {code}. The same command again goes on.", file=sys.stderr
        )
        return 2
    verdicts = compared(record, read_record(folder / RECORD))
    for name, verdict in verdicts.items():
        print(plain_text(f"{name}: {verdict}"))
    other = sum(verdict != "same" for verdict in verdicts.values())
    reasons = plain_text(_reasons(record)) if other else ""
    print(f"{len(verdicts) - other} the same, {other} different.{reasons}")
    return 1 if other else 0


def _reasons(record: Mapping[str, Any]) -> str:
    """What may make a difference although code and versions are the same."""
    served = [name for name, each in record["configuration"]["models"].items() if each.get("server")]
    return (
        f"\nThe run was made on {record['machine']['system']}. "
        "Another processor, GPU, number of threads or batch rounds otherwise in the last bits, "
        "which shows in logprob first, and now and then in a sampled answer."
        + (f"\nServers promise no same answers: {', '.join(served)}." if served else "")
    )


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 if all is the same, 1 if something differs, 2 if nothing was compared."""
    ours, more = list(arguments), []
    if "--" in ours:
        at = ours.index("--")
        ours, more = ours[:at], ours[at + 1 :]
    parser = argparse.ArgumentParser(prog="selfincorrect reproduce", description=__doc__)
    add = parser.add_argument
    add("run", type=Path, help="the record: results/run.json of a finished run")
    add("--directory", type=Path, default=Path("reproduced"), help="new folder to run in")
    add("--files", type=Path, help="folder that relative paths of the configuration count from")
    add("--cores", default="all", help="as for Snakemake; what follows -- goes to it too")
    add("--yes", action="store_true", help="agree to the servers and keys that the record names")
    add("--force", action="store_true", help="go on with another commit or other versions")
    given = parser.parse_args(ours)
    try:
        return reproduce(given.run, given.directory, given.files, given.cores, given.force, given.yes, more)
    except UserError as error:
        print(plain_text(str(error)), file=sys.stderr)
        return 2
