"""The section of a model in the configuration: one with weights or a server, or pools from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.registry import names as engine_names
from selfincorrect.pools.kinds import Pool
from selfincorrect.sections import Section, ServerConfig
from selfincorrect.sources.kinds import GgufPackages


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """A check that a name is among `names`, which other packages may add to."""

    def known(value: str) -> str:
        if value not in names:
            expected = " or ".join(map(repr, names))
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return value

    return known


EngineName = Annotated[
    str, AfterValidator(one_of(engine_names())), Field(json_schema_extra={"enum": list(engine_names())})
]


class ModelConfig(Section):
    source: str | GgufPackages = Field(
        description="Hub id (`owner/name`), local folder or GGUF file (`/…`, `./…`, `~…`), "
        "`catalog:<name>`, or pinned GGUF packages; with `engine: openai` the model's id at the server, "
        "with `scripted` a YAML file."
    )
    adapter: str | None = Field(
        None,
        min_length=1,
        description="Folder of a LoRA adapter (with `adapter_config.json`) that goes on top of `source`; "
        "needs the package peft.",
    )
    revision: str | None = Field(
        None,
        min_length=1,
        description="Commit, tag or branch of a hub id, required for one; of a served model whatever tells "
        "its versions apart.",
    )
    prompt: Literal["completion", "chat"] = Field(
        description="`completion` for base models; `chat` applies the tokenizer's chat template."
    )
    engine: EngineName = Field(
        "transformers",
        description="What runs the model: this machine, an OpenAI-compatible server, or (`scripted`) a YAML "
        "file of answers, to try a workflow without weights.",
    )
    server: ServerConfig | None = Field(None, description="The server, with `engine: openai`.")
    reasoning: ReasoningConfig | None = Field(
        None, description="How a model that reasons is run: the budget of its thoughts, their tags, effort."
    )
    tasks: list[str] | None = Field(
        None, description="Only for these tasks; `[]` for a model that only judges. Default: all."
    )
    published: str | None = Field(
        None, description="The model's name in the paper's tables, whose numbers then stand beside it."
    )
    parameters: float | None = Field(
        None,
        gt=0,
        strict=False,
        description="Number of parameters, for estimates (left out without it) and for the memory and time "
        "of jobs on a cluster (8e9 is assumed without it).",
    )
    greedy: bool = Field(
        True,
        description="`false` for models that take temperature 1 alone: what is else decoded greedily, such "
        "as choices, is then drawn at temperature 1. Set `sampling.temperature: 1` too.",
    )
    gpus: int = Field(
        1, ge=1, description="GPUs that a job of this model asks for where `run.device` is `cuda`."
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


class PooledModelConfig(Section):
    pools: dict[str, Pool] = Field(
        min_length=1,
        description="Instead of `source`: candidates that were sampled elsewhere, by task; see Pools from "
        "elsewhere.",
    )


def _model_kind(value: Any) -> str:
    pooled = isinstance(value, PooledModelConfig) or (isinstance(value, Mapping) and "pools" in value)
    return "model-pools" if pooled else "model-weights"


AnyModel = Annotated[
    Annotated[ModelConfig, Tag("model-weights")] | Annotated[PooledModelConfig, Tag("model-pools")],
    Discriminator(_model_kind),
]
