"""The configuration: the one description of what can be set, and its check before any job starts.

The JSON schema in `workflow/schemas/` and the table in the README are generated from these classes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from selfincorrect import tasks
from selfincorrect.config_errors import Problem, describe_all, found_and_allowed
from selfincorrect.errors import UserError
from selfincorrect.prompts import task_prompts
from selfincorrect.sources import GgufPackages, HubFile, LocalFile, PackageMember, Source
from selfincorrect.sources.catalog import PREFIX as CATALOG_PREFIX
from selfincorrect.sources.catalog import catalog

# An alias is a folder's name in results/ and a Snakemake wildcard: no slash, no dot, no leading dash.
Alias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _source_kind(value: Any) -> str:
    if not isinstance(value, Mapping):
        kinds: dict[type, str] = {HubFile: "repo", PackageMember: "package", LocalFile: "path"}
        return kinds.get(type(value), "name")
    return next((key for key in ("repo", "package", "path") if key in value), "path")


TaskSource = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[HubFile, Tag("repo")]
    | Annotated[PackageMember, Tag("package")]
    | Annotated[LocalFile, Tag("path")],
    Discriminator(_source_kind),
]


class ModelConfig(_Section):
    source: str | GgufPackages = Field(
        description="Hub id (`owner/name`), local folder (`/…`, `./…`, `~…`), `catalog:<name>`, or pinned GGUF packages."
    )
    revision: str | None = Field(
        None, min_length=1, description="Commit, tag or branch of a hub id; required for one."
    )
    prompt: Literal["completion", "chat"] = Field(
        description="`completion` for base models; `chat` applies the tokenizer's chat template."
    )
    engine: Literal["transformers", "scripted"] = Field(
        "transformers",
        description="What runs the model; `scripted` answers from a YAML file, to try a workflow without weights.",
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Precision of weights and activations."
    )
    context: int | None = Field(
        None, ge=1, description="Longest prompt plus answer in tokens; default: the model's own limit."
    )
    trust_remote_code: bool = Field(
        False, description="Run Python code that comes with the model. Only if you have read it."
    )


class TaskConfig(_Section):
    source: TaskSource | None = Field(
        None,
        description="A named source of the task (`hub`, `package`), or one of your own: `{path: …}`, `{repo: …, file: …, "
        "revision: …}`, `{package: …, version: …, sha256: …, member: …}`. Default: the task's first, usually `hub`.",
    )
    limit: int | None = Field(
        None, ge=1, description="Number of questions, a seeded sample; default: all."
    )
    shots: int | None = Field(
        None, ge=0, description="Demonstrations in each prompt; default: the paper's."
    )
    shards: int = Field(1, ge=1, description="Jobs that generation is split into.")
    answer_tokens: int | None = Field(
        None, ge=1, description="Longest candidate in tokens; default: the task's."
    )
    choice_tokens: int | None = Field(
        None, ge=1, description="Longest discrimination output in tokens; default: the task's."
    )


class SamplingConfig(_Section):
    n: int = Field(4, ge=1, description="Candidates per question (the pool).")
    temperature: float = Field(0.7, gt=0, strict=False, description="Sampling temperature.")
    top_p: float = Field(1.0, gt=0, le=1, strict=False, description="Nucleus sampling; 1 is off.")


class VariantConfig(_Section):
    candidates: Literal["solution", "final"] | None = Field(
        None, description="Show whole solutions or final answers; default: the task's, `final` with easy distractors."
    )
    distractors: Literal["own", "easy"] = Field(
        "own", description="`easy` replaces wrong candidates by obviously wrong ones (the paper's Figure 9)."
    )
    order: Literal["drawn", "permuted"] = Field(
        "drawn", description="Show candidates as drawn, or in a seeded permutation per question."
    )
    labels: Literal["digits", "letters"] = Field("digits", description="1, 2, … or A, B, …")
    tasks: list[str] | None = Field(None, min_length=1, description="Only for these tasks.")


class RunConfig(_Section):
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` spreads a model over the GPUs there are, or uses the CPU."
    )
    threads: int | None = Field(
        None, ge=1, description="CPU threads of a job that runs a model; default: all cores given to Snakemake."
    )
    batch_size: int = Field(32, ge=1, description="Sequences per batch; halved when memory runs out.")
    store: str = Field("results/store", min_length=1, description="Folder of the response store; may be shared.")


class FiguresConfig(_Section):
    dpi: int = Field(200, ge=50, le=1200, description="Resolution of PNG figures.")
    font_size: float = Field(9, ge=5, le=24, strict=False, description="Base font size in points.")


class ReportConfig(_Section):
    questions: int = Field(10, ge=0, description="Sample questions shown in the report.")


class Config(_Section):
    """A whole experiment."""

    seed: int = Field(20240404, ge=0, lt=2**53, description="Seed of everything random.")
    models: dict[Alias, ModelConfig] = Field(min_length=1, description="Models by alias.")
    tasks: dict[str, TaskConfig] = Field(min_length=1, description="Tasks by name.")
    sampling: SamplingConfig = Field(default_factory=SamplingConfig, description="How candidates are drawn.")  # type: ignore[arg-type]
    k: list[int] = Field([4], min_length=1, description="Numbers of candidates to choose among; each from 2 to n.")
    variants: dict[Alias, VariantConfig] = Field(
        default_factory=lambda: {"full": VariantConfig()},  # type: ignore[call-arg]
        min_length=1,
        description="Ways of asking for the best candidate, by name.",
    )
    run: RunConfig = Field(default_factory=RunConfig, description="Speed and place; in no digest.")  # type: ignore[arg-type]
    figures: FiguresConfig = Field(default_factory=FiguresConfig, description="Look of the figures.")  # type: ignore[arg-type]
    report: ReportConfig = Field(default_factory=ReportConfig, description="The report.")  # type: ignore[arg-type]

    def variants_of(self, task: str) -> dict[str, VariantConfig]:
        """The variants that `task` is measured with, by name."""
        return {
            name: variant
            for name, variant in self.variants.items()
            if variant.tasks is None or task in variant.tasks
        }

    def task_source(self, task: str) -> Source:
        """Where the data of `task` comes from."""
        sources = tasks.get_task(task).SOURCES
        source = self.tasks[task].source or next(iter(sources))
        return sources[source] if isinstance(source, str) else source


def check(raw: Mapping[str, Any]) -> Config:
    """The checked configuration. Raises UserError that lists everything that is wrong with `raw`."""
    try:
        config = Config.model_validate(dict(raw))
    except ValidationError as error:
        raise UserError(describe_all(found_and_allowed(error, Config))) from error
    problems = [
        *_alias_problems(config),
        *_model_problems(config),
        *_task_problems(config),
        *_choice_problems(config),
    ]
    if problems:
        raise UserError(describe_all(problems))
    return config


def is_folder(source: str) -> bool:
    """Whether a model's `source` is a local path and not a hub id."""
    return source.startswith(("/", "./", "../", "~"))


def _alias_problems(config: Config) -> list[Problem]:
    problems = []
    for section in ("models", "variants"):
        seen: dict[str, str] = {}
        for alias in getattr(config, section):
            other = seen.setdefault(alias.lower(), alias)
            if other != alias:
                problems.append(
                    Problem(
                        f"{section}.{alias}", f"{alias!r} beside {other!r}",
                        "aliases that differ in more than case: each is a folder's name", f"{alias}-2: …",
                    )  # fmt: skip
                )
    return problems


def _model_problems(config: Config) -> list[Problem]:
    problems = []
    for alias, model in config.models.items():
        key, source = f"models.{alias}", model.source
        if not isinstance(source, str):
            continue
        if source.startswith(CATALOG_PREFIX):
            name = source.removeprefix(CATALOG_PREFIX)
            if name not in catalog():
                known = ", ".join(CATALOG_PREFIX + each for each in catalog())
                problems.append(Problem(f"{key}.source", repr(source), known, f"source: {known.split(', ')[0]}"))
        elif model.engine == "scripted" or is_folder(source):
            path = Path(source).expanduser()
            wanted = "a YAML file" if model.engine == "scripted" else "a folder with config.json"
            there = path.is_file() if model.engine == "scripted" else (path / "config.json").is_file()
            if not there:
                problems.append(
                    Problem(f"{key}.source", f"{source!r} ({path.absolute()})", f"{wanted} that exists", "source: ./models/my-model")
                )  # fmt: skip
        elif source.count("/") != 1 or not all(source.split("/")) or ".." in source:
            problems.append(
                Problem(
                    f"{key}.source", repr(source), "owner/name on the hub, a path that begins with / ./ or ~, or catalog:<name>",
                    "source: HuggingFaceTB/SmolLM2-135M-Instruct",
                )  # fmt: skip
            )
        elif model.revision is None:
            problems.append(
                Problem(f"{key}.revision", "nothing", "a commit of the hub repository (or a tag or branch)", "revision: main")
            )  # fmt: skip
    return problems


def _task_problems(config: Config) -> list[Problem]:
    problems = []
    for name, task in config.tasks.items():
        if name not in tasks.NAMES:
            allowed = ", ".join(tasks.NAMES)
            problems.append(Problem(f"tasks.{name}", repr(name), allowed, f"{tasks.NAMES[0]}: {{limit: 24}}"))
            continue
        sources = tasks.get_task(name).SOURCES
        if isinstance(task.source, str) and task.source not in sources:
            allowed = f"{', '.join(sources)}, or a mapping with path, repo or package"
            problems.append(
                Problem(f"tasks.{name}.source", repr(task.source), allowed, f"source: {next(iter(sources))}")
            )
        if isinstance(task.source, LocalFile) and not Path(task.source.path).expanduser().is_file():
            found = str(Path(task.source.path).expanduser().absolute())
            problems.append(Problem(f"tasks.{name}.source.path", found, "a file that exists", "path: data/questions.parquet"))
        available = len(task_prompts(name).demonstrations)
        if (task.shots or 0) > available:
            problems.append(
                Problem(f"tasks.{name}.shots", str(task.shots), f"0 to {available}, the demonstrations there are", f"shots: {available}")
            )  # fmt: skip
    return problems


def _choice_problems(config: Config) -> list[Problem]:
    problems = []
    n = config.sampling.n
    for index, k in enumerate(config.k):
        if not 2 <= k <= min(n, 26):
            problems.append(
                Problem(f"k.{index}", str(k), f"2 to n, and n (sampling.n) is {n}", f"sampling: {{n: {max(k, 2)}}}")
            )
        if k in config.k[:index]:
            problems.append(Problem(f"k.{index}", f"{k} a second time", "each k once", f"k: {sorted(set(config.k))}"))
    for name, variant in config.variants.items():
        for task in variant.tasks or config.tasks:
            if task not in config.tasks:
                allowed = ", ".join(config.tasks)
                problems.append(
                    Problem(f"variants.{name}.tasks", repr(task), f"configured tasks: {allowed}", f"tasks: [{allowed}]")
                )
            elif task in tasks.NAMES:
                problems += _variant_problems(name, variant, task)
    return problems


def _variant_problems(name: str, variant: VariantConfig, task: str) -> list[Problem]:
    ways = list(task_prompts(task).discriminate)
    others = f"{{tasks: [...]}} to leave {task} out"
    if variant.candidates is not None and variant.candidates not in ways:
        return [
            Problem(f"variants.{name}.candidates", f"{variant.candidates!r}, which {task} cannot have", ", ".join(ways), f"{name}: {others}")
        ]  # fmt: skip
    if variant.candidates == "solution" and variant.distractors == "easy":
        return [
            Problem(
                f"variants.{name}.candidates", "'solution' with easy distractors", "'final': only final answers can be simplified",
                f"{name}: {{distractors: easy}}",
            )  # fmt: skip
        ]
    return []
