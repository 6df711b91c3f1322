"""What a whole experiment takes on a number of GPUs, on paper: jobs, GPU hours, wall time, storage.

Work comes from `estimate`, order from the workflow's rules, fixed costs and rates from measurements or what
is assumed in their place; `schedule` puts the jobs on GPUs. `selfincorrect scale CONFIG --gpus 8 64` says it
for an experiment, and with `--models 100 --tasks 10` for one of that size made of its models and tasks over
and over.

Downloads and queues of a cluster are left out.
"""

import argparse
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, product
from pathlib import Path

import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.config.model_section import ModelConfig
from selfincorrect.config.schema import Config
from selfincorrect.config.task_settings import task_settings
from selfincorrect.engines.registry import engine_kind
from selfincorrect.errors import UserError
from selfincorrect.plan.estimate import BYTES_A_TOKEN, Load, loads
from selfincorrect.plan.questions import questions_for
from selfincorrect.plan.rates import Rates, answering_seconds, rates, weight_bytes
from selfincorrect.plan.schedule import Job, Schedule, critical_path, schedule
from selfincorrect.report.costs import costs

# Seconds that a job takes beside its answers and its weights, measured (docs/speed.md).
FIXED = {"model": 4.0, "other": 1.0}
ASKING = ("generate", "judge", "discriminate", "refine")
RULES = (
    *("generate", "collect", "judge", "grade", "discriminate", "select", "refine", "measure"),
    *("prepare_model", "prepare_dataset", "tables", "figures", "paper", "report"),
)


@dataclass(frozen=True)
class Pair:
    """One model on one task: what its stages take, and the shape of its jobs.

    The stages are those that are done of `generate`, `judge`, `refine` and `discriminate <model>` for each
    model that is asked; all shards together.
    """

    model: str
    task: str
    seconds: Mapping[str, float]  # seconds of answering, by stage
    gpus: Mapping[str, int]  # GPUs that a job holds, by stage
    loading: Mapping[str, float]  # seconds to load the weights, by stage
    shards: int
    ks: tuple[int, ...]
    graded_first: bool  # whether discrimination waits for grades
    answers: float
    tokens: float  # tokens of prompts and answers


@dataclass(frozen=True)
class Machines:
    """What is measured, or assumed, of machines."""

    work: Rates
    disk: float = 1e9  # bytes of weights read a second
    # Fixed seconds of a job, by rule; FIXED holds for rules that are not there.
    fixed: Mapping[str, float] = field(default_factory=dict)
    overhead: float = 0.0  # seconds that a scheduler adds to each job

    def of(self, rule: str) -> float:
        """The fixed seconds of a job of `rule`."""
        known = FIXED["model" if rule in ASKING else "other"]
        return self.fixed.get(rule, known) + self.overhead


def pairs(config: Config, found: Iterable[Load], machines: Machines) -> list[Pair]:
    """The pairs of an experiment, from the loads that `estimate.loads` gives for its tasks.

    Pools from elsewhere are left out.
    """
    weighted = [pair for pair in config.pairs() if pair[0] in config.weighted]
    by_pair: dict[tuple[str, str], dict[str, list[Load]]] = {pair: {} for pair in weighted}
    for load in found:
        stage, _, pool = load.stage.partition(" ")
        model = pool or load.model
        if (model, load.task) in by_pair:
            stage = f"{stage} {load.model}" if stage == "discriminate" else stage
            by_pair[model, load.task].setdefault(stage, []).append(load)
    return [_pair(config, model, task, stages, machines) for (model, task), stages in by_pair.items()]


def _pair(
    config: Config, model: str, task: str, stages: Mapping[str, Sequence[Load]], machines: Machines
) -> Pair:
    asked = [load for each in stages.values() for load in each]
    names = {stage: [config.weighted[load.model] for load in each] for stage, each in stages.items()}
    return Pair(
        model,
        task,
        {stage: sum(_seconds(config, load, machines) for load in each) for stage, each in stages.items()},
        {stage: max(_gpus(config, entry) for entry in each) for stage, each in names.items()},
        {stage: sum(map(weight_bytes, each)) / machines.disk for stage, each in names.items()},
        config.tasks[task].shards,
        tuple(config.k),
        any(
            config.needs_grades(task, config.asked(task, model, asked))
            for asked in config.discriminators(task, model)
        ),
        sum(load.answers for load in asked),
        sum(load.tokens_in + load.tokens_out for load in asked),
    )


def _gpus(config: Config, entry: ModelConfig) -> int:
    """The GPUs that a job of a model holds; `auto` is planned as `cuda`, as in estimates."""
    return entry.gpus if config.run.device != "cpu" and engine_kind(entry.engine).in_process else 0


def _seconds(config: Config, load: Load, machines: Machines) -> float:
    """The time of answering, in seconds."""
    together = config.sampling.n if load.stage == "generate" else 1
    entry = config.weighted[load.model]
    return answering_seconds(entry, load.answers, load.tokens_in, load.tokens_out, machines.work, together)


def enlarged(found: Sequence[Pair], models: int, tasks: int) -> list[Pair]:
    """The pairs of `models` models and `tasks` tasks, made of those `found` over and over.

    Gaps are repeated like pairs.
    """
    have = {(pair.model, pair.task): pair for pair in found}
    rows = list(islice(_copies(dict.fromkeys(pair.model for pair in found)), models))
    columns = list(islice(_copies(dict.fromkeys(pair.task for pair in found)), tasks))
    return [
        replace(have[model, task], model=f"{model}{copy}", task=f"{task}{other}")
        for (model, copy), (task, other) in product(rows, columns)
        if (model, task) in have
    ]


def _copies(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each name with "", then each with ".2", ".3" and so on, without end."""
    names = list(names)
    for number, name in enumerate(cycle(names)):
        copy = number // len(names) + 1
        yield name, f".{copy}" if copy > 1 else ""


def jobs(found: Sequence[Pair], machines: Machines, prepared: int) -> list[Job]:
    """The jobs of the workflow, each after those whose files it reads.

    `prepared` models with weights are there to prepare. What is prepared waits for a network alone and counts
    no time: models are taken to be on disk.
    """
    made = [Job(f"prepare_model/{number}", 0.0) for number in range(prepared)]
    made += [Job(f"prepare_dataset/{task}", 0.0) for task in dict.fromkeys(pair.task for pair in found)]
    for pair in found:
        made += _jobs_of(pair, machines)
    ends = [job.name for job in made if job.name.startswith(("measure/", "refine/"))]
    last = {"tables": ends, "figures": ["tables"], "paper": ["tables"], "report": ["figures", "paper"]}
    for name, needs in last.items():
        made.append(Job(name, machines.of(name), 0, tuple(needs)))
    return [*made, Job("all", 0.0, 0, ("report",))]


def _jobs_of(pair: Pair, machines: Machines) -> list[Job]:
    place = f"{pair.model}/{pair.task}"
    made = []

    def job(stage: str, needs: Sequence[str], part: str = "", share: float = 1.0) -> str:
        rule, _, asked = stage.partition(" ")
        seconds = machines.of(rule) + pair.loading.get(stage, 0.0) + pair.seconds.get(stage, 0.0) * share
        name = "/".join(filter(None, (rule, place, asked, part)))
        made.append(Job(name, seconds, pair.gpus.get(stage, 0), tuple(needs)))
        return name

    def shards_of(stage: str, needs: Sequence[str]) -> list[str]:
        return [job(stage, needs, str(shard), 1 / pair.shards) for shard in range(pair.shards)]

    data = [f"prepare_dataset/{pair.task}"]
    pool = [job("collect", shards_of("generate", data))]
    judged = [job("judge", pool)] if "judge" in pair.seconds else []
    graded = job("grade", pool + judged)
    asking = [stage for stage in pair.seconds if stage.startswith("discriminate")]
    asked = [name for stage in asking for name in shards_of(stage, [graded] if pair.graded_first else pool)]
    chosen = job("select", [graded, *asked])
    if "refine" in pair.seconds:
        job("refine", pool)
    for k in pair.ks:
        job("measure", [graded, chosen], f"k{k}")
    return made


def measured_fixed(results: Path) -> dict[str, float]:
    """The fixed seconds of a job of each rule, the mean over those of a finished run."""
    table = costs(results)
    if not table.height:
        raise UserError(f"No benchmarks in {results}: give the results folder of a finished run.")
    return {row["rule"]: row["fixed"] / row["jobs"] for row in table.iter_rows(named=True)}


def storage(config: Config, found: Sequence[Pair]) -> dict[str, float]:
    """The bytes on disk: `weights`, and `results`, which are pools, choices and the response store."""
    originals = {name: weight_bytes(entry) for name, entry in config.weighted.items()}
    used = dict.fromkeys(pair.model for pair in found)
    judges = [name for name in config.weighted if name not in used]
    weights = sum(originals.get(name.partition(".")[0], 0.0) for name in [*used, *judges])
    return {"weights": weights, "results": sum(pair.tokens for pair in found) * BYTES_A_TOKEN}


def plan(config: Config, datasets: Path, machines: Machines) -> tuple[list[Pair], dict[str, str]]:
    """The pairs of an experiment, and where the questions of each task are from."""
    found: list[Load] = []
    origins: dict[str, str] = {}
    for task in dict.fromkeys(task for _, task in config.pairs()):
        questions, origins[task] = questions_for(config, task, datasets)
        found += loads(config, task, questions, task_settings(config, task))
    return pairs(config, found, machines), origins


def lines(
    made: Sequence[Job], found: Sequence[Pair], planned: Mapping[int, Schedule], sizes: Mapping[str, float]
) -> list[str]:
    """The plan in lines for a terminal."""
    by_rule = {rule: sum(job.name.split("/")[0] == rule for job in made) for rule in RULES}
    held, longest = sum(job.seconds * job.gpus for job in made) / 3600, critical_path(made)
    answers, tokens = sum(pair.answers for pair in found), sum(pair.tokens for pair in found)
    said = [
        f"{len(made):,} jobs: {', '.join(f'{count:,} {rule}' for rule, count in by_rule.items() if count)}",
        f"{answers:,.0f} answers, {tokens / 1e6:,.0f} million tokens at most, {held:,.1f} GPU hours",
        f"{sizes['weights'] / 1e9:,.0f} GB of weights, {sizes['results'] / 1e9:,.1f} GB of results",
        f"longest chain of jobs {_span(longest)}",
        "",
        f"{'GPUs':>6}{'wall':>12}{'at least':>12}{'in use':>8}",
    ]
    for gpus, each in planned.items():
        least = max(longest, each.gpu_seconds / gpus if gpus else 0.0)
        said.append(f"{gpus:>6}{_span(each.wall):>12}{_span(least):>12}{each.utilisation:>8.0%}")
    return said


def _span(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds:,.0f} s"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="selfincorrect scale", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    prepared_help = "prepared data sets, if there are some, from its folder"
    bench = Path("results/bench_gpu.json")
    add("config", type=Path, help="configuration of an experiment")
    add("--directory", type=Path, default=Path(), help="its folder, from which its paths count")
    add("--gpus", type=int, nargs="+", default=[2, 8, 64], help="GPUs to plan for (default 2 8 64)")
    add("--slots", type=int, default=100, help="jobs at a time (default 100, as in the SLURM profile)")
    add("--models", type=int, help="plan for so many models, made of those of the experiment")
    add("--tasks", type=int, help="plan for so many tasks, likewise")
    add("--overhead", type=float, default=8.0, help="seconds of a scheduler's job beside (default 8)")
    add("--disk", type=float, default=1.0, help="GB of weights read a second (default 1)")
    add("--fixed", type=Path, help="results folder of a run whose fixed costs by rule are taken")
    add("--resources", type=Path, default=Path("resources"), help=prepared_help)
    add("--measured", type=Path, default=bench, help="what `make bench-gpu` wrote")
    given = parser.parse_args(arguments)
    if given.slots < 1:
        parser.error("--slots must be at least 1")
    try:
        measured, text = given.measured.absolute(), given.config.read_text(encoding="utf-8")
        fixed = measured_fixed(given.fixed) if given.fixed else {}
        os.chdir(given.directory)
        config = check(yaml.safe_load(text))
        work = rates(config.run.device, measured)
        machines = Machines(work, given.disk * 1e9, fixed, given.overhead)
        found, origins = plan(config, given.resources / "datasets", machines)
        prepared = len(config.weighted)
        if given.models or given.tasks:
            models, tasks = (len({getattr(pair, name) for pair in found}) for name in ("model", "task"))
            prepared += (given.models or models) - models
            found = enlarged(found, given.models or models, given.tasks or tasks)
        made = jobs(found, machines, prepared)
        planned = {gpus: schedule(made, gpus, given.slots) for gpus in given.gpus}
    except (UserError, OSError, yaml.YAMLError) as error:
        raise SystemExit(str(error)) from None
    print("\n".join(lines(made, found, planned, storage(config, found))))
    print(f"\nOperations a second, {work.basis}: {work.reading:.2g} reading, {work.decoding:.2g} decoding.")
    print("Questions: " + ", ".join(f"{task} ({origin})" for task, origin in origins.items()) + ".")
