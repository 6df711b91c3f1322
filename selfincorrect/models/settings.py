"""What jobs need to know of a model and its server, and of the place they run at: in no digest, so no part of a rule."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PriceConfig(Section):
    input: float = Field(
        ge=0, strict=False, description="Price of a million tokens of prompts, in any currency."
    )
    output: float = Field(ge=0, strict=False, description="Price of a million tokens of answers.")


class ServerConfig(Section):
    url: str = Field(
        pattern=r"^https?://[A-Za-z0-9_.:\[\]-]+(/[A-Za-z0-9._~%/-]*)?$",
        description="Base URL of an OpenAI-compatible server, up to `/v1`; no key is in it.",
    )
    key: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]*$",
        description="Name of the environment variable that holds the key; none if omitted.",
    )
    concurrency: int = Field(8, ge=1, description="Calls in flight at a time.")
    requests_per_minute: int | None = Field(None, ge=1, description="Limit on calls, retries included.")
    retries: int = Field(
        6, ge=0, description="Retries of a call after 429, 5xx, time-outs and broken answers."
    )
    timeout: float = Field(
        600, gt=0, strict=False, description="Seconds until a call counts as lost, its whole reply included."
    )
    logprobs: bool = Field(True, description="Ask for log-probabilities.")
    body: dict[str, Any] = Field(
        default_factory=dict,
        description="What else each call says, such as `{reasoning_effort: low}` or `{chat_template_kwargs: {enable_thinking: false}}`; part of "
        "what stored answers are known by.",
    )
    price: PriceConfig | None = Field(
        None, description="Prices, for the costs in the report and in estimates."
    )


class RunConfig(Section):
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` spreads a model over the GPUs there are, or uses the CPU."
    )
    threads: int | None = Field(
        None,
        ge=1,
        description="CPU threads of a job that runs a model; default: all cores given to Snakemake.",
    )
    batch_size: int | None = Field(
        None, ge=1, description="Sequences decoded together; default: what fits. Halved when memory runs out."
    )
    decoding: Literal["auto", "cascade", "continuous", "plain"] = Field(
        "auto",
        description="How sequences are decoded together: with shared prefixes (`cascade`; on CPUs), by transformers' continuous "
        "batching (`continuous`; on GPUs) or `generate` (`plain`; where nothing else fits). The answers are the same.",
    )
    retry: list[Literal["context", "refused", "filtered", "error"]] = Field(
        default_factory=list,
        description="Ask again for stored answers that are missing for these reasons, such as `[error]`; for one run, on the command line.",
    )
    errors: float = Field(
        0.2,
        ge=0,
        le=1,
        strict=False,
        description="Share of calls to a server that may fail, after their retries, before a run ends.",
    )
    store: str = Field(
        "results/store", min_length=1, description="Folder of the response store; may be shared."
    )
