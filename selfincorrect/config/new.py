"""`selfincorrect new`: a commented configuration of a model and a task, to begin with."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from selfincorrect.config import new_task
from selfincorrect.config.check.experiment import check
from selfincorrect.config.code_digest import ROOT
from selfincorrect.config.new_task import LIMIT, alias_of, task_entry
from selfincorrect.errors import UserError
from selfincorrect.sources.catalog import PREFIX, catalog
from selfincorrect.sources.kinds import is_folder, is_gguf
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.base import executes

SCHEMA = "workflow/schemas/config.schema.json"
FORM = """\
# yaml-language-server: $schema={schema}
# Can {name} tell its own good answers from its bad ones? Run it with
#
#   selfincorrect run --directory {folder} --configfile {file}
#
# Everything that can be set is in docs/configuration.md; a mistake is told before any job starts.
seed: 20240404

models:
  {name}:
{model}

tasks:
{task}

sampling: {{n: 4, temperature: 0.7}}   # so many answers to each question
k: [4]                               # numbers of answers to choose among

variants:                            # ways of choosing among the same answers (docs/asking.md)
  full: {{}}                           # the paper's question: which of these is best?
{scoring}  vote: {{selector: majority}}
  oracle: {{selector: oracle}}         # what a perfect choice would reach

run: {{device: auto}}                  # on a cluster cuda; what was answered is kept in results/store
"""
_LIMIT = "a seeded sample of so many questions; without `limit` all of them"
SCORING = """\
  labels: {{selector: label_probability, distinct: true}}   # how probable each label is, in every rotation
  p-true: {{selector: p_true}}         # each answer alone: is it true?
  likelihood: {{selector: likelihood}} # how probable the model found each answer when it wrote it
""".replace("{{", "{").replace("}}", "}")


def main(arguments: Sequence[str]) -> int:
    """Write the file; exit code 0, or 1 after an error."""
    if list(arguments[:1]) == ["task"]:
        return new_task.main(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="selfincorrect new",
        description=(__doc__ or "").split("\n")[0],
        epilog="`selfincorrect new task FILE` prints the entry of a task for a file of questions.",
    )
    model_help = "hub id (owner/name), folder, GGUF file, catalog:<name>, or the URL of a server (…/v1)"
    parser.add_argument("model", help=model_help)
    parser.add_argument("task", help=f"a file of questions, or one of {', '.join(tasks.NAMES)}")
    parser.add_argument("--id", help="of a server: what it calls the model")
    parser.add_argument("--key", help="of a server: the environment variable that holds the key")
    parser.add_argument("--prompt", choices=["chat", "completion"], help="default: as its name or files say")
    parser.add_argument("--to", type=Path, default=Path("mine.yaml"), help="default: mine.yaml")
    given = parser.parse_args(arguments)
    try:
        text = configuration(given.model, given.task, given.to, given.prompt, given.id, given.key)
        with given.to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        print(f"{given.to} is there already. Name another file: --to other.yaml", file=sys.stderr)
        return 1
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    run = f"selfincorrect run --directory {given.to.stem} --configfile {given.to}"
    print(f"{given.to} is written. Look at it, then: {run}")
    return 0


def configuration(
    model: str,
    task: str,
    to: Path,
    prompt: str | None = None,
    identity: str | None = None,
    key: str | None = None,
) -> str:
    """The text of a configuration. Raises UserError for a task or a server that cannot be."""
    own = Path(task).expanduser()
    if task not in tasks.NAMES and not own.is_file():
        known = ", ".join(tasks.NAMES)
        raise UserError(f"There is no task {task!r}, nor a file of questions. There are: {known}.")
    served = re.match(r"https?://", model) is not None
    local = Path(model).expanduser()
    if not served and (is_folder(model) or model.lower().endswith(".gguf") or local.exists()):
        model = str(local.absolute())  # whatever folder the experiment is run in
    if served and not identity:
        raise UserError("A server has models: say which with --id, as it calls it.")
    lines = _server(model, str(identity), key) if served else _source(model)
    prompt = prompt or ("chat" if served else likely_prompt(model))
    lines.append(f"prompt: {prompt}   # completion for base models, chat for models with a chat template")
    name = alias_of((str(identity) if served else model).removeprefix(PREFIX))
    shown = FORM.format(
        name=name,
        schema=schema_address(),
        folder=to.stem,
        file=to,
        model="\n".join(f"    {line}" for line in lines),
        task=task_entry(own) if task not in tasks.NAMES else _known(task),
        scoring=SCORING if not served else SCORING.splitlines(keepends=True)[-1],
    )
    check(yaml.safe_load(shown))
    return shown


def schema_address() -> str:
    """Where the schema lies by which editors complete and check a configuration: in a copy of the project, or
    in an installed package. An address, since editors read a path to its first blank.
    """
    places = [folder / SCHEMA for folder in (ROOT.parent, ROOT / "_workflow")]
    return next((path for path in places if path.exists()), places[0]).as_uri()


def likely_prompt(model: str) -> str:
    """How a model is probably asked: a folder says whether it has a chat template, others by their name."""
    folder = Path(model)
    if folder.is_dir():
        told = folder / "tokenizer_config.json"
        templates = [folder / "chat_template.jinja", folder / "chat_template.json"]
        has = any(each.is_file() for each in templates)
        has = has or (
            told.is_file() and "chat_template" in told.read_text(encoding="utf-8", errors="replace")
        )
        return "chat" if has else "completion"
    base = model.startswith(PREFIX) or re.search(r"[-_]base\b", model, re.IGNORECASE)
    chats = re.search(r"instruct|chat|assistant|[-_]it\b", model, re.IGNORECASE)
    return "completion" if base and not chats else "chat"


def _known(task: str) -> str:
    if executes(tasks.get_task(task)):
        run = "what the model writes is run, in a sandbox"
        return f"  {task}: {{limit: {LIMIT}, execute: true}}   # {run}; {_LIMIT}"
    return f"  {task}: {{limit: {LIMIT}}}   # {_LIMIT}"


def likely_size(model: str) -> float | None:
    """The number of parameters that a model's name tells, as `SmolLM2-1.7B` does; None if it tells none."""
    told = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", Path(model).name, re.IGNORECASE)
    return float(told[1]) * (1e9 if told[2] in "bB" else 1e6) if told else None


def _source(model: str) -> list[str]:
    size = likely_size(model)
    why = "hours, disk, and memory and time of jobs on a cluster follow from it"
    return [
        *_place(model),
        f"parameters: {size:.2e}   # {why}" if size else f"# parameters: 8.0e+9   # how many it has: {why}",
    ]


def _place(model: str) -> list[str]:
    if model.startswith(PREFIX) or is_folder(model) or is_gguf(model):
        known = "" if not model.startswith(PREFIX) else f"   # pinned here; there are: {', '.join(catalog())}"
        return [f"source: {yaml.safe_dump(model).splitlines()[0]}{known}"]
    return [
        f"source: {yaml.safe_dump(model).splitlines()[0]}",
        "revision: main          # better: a commit, so that it stays the same",
        "dtype: bfloat16         # float32 on machines without a GPU",
    ]


def _server(url: str, identity: str, key: str | None) -> list[str]:
    held = f", key: {key}" if key else ""
    return [
        "engine: openai          # any server that speaks this protocol",
        f"source: {yaml.safe_dump(identity).splitlines()[0]}",
        "revision: first         # whatever tells versions of it apart",
        f"server: {{url: '{url}'{held}}}",
    ]
