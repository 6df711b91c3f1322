"""What jobs need to know of the place they run at; it is in no digest, so it is no part of a rule."""

from typing import Literal

from pydantic import Field

from selfincorrect.sections import Section


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
        description="How sequences are decoded together: with shared prefixes (`cascade`; on CPUs), "
        "by transformers' continuous batching (`continuous`; on GPUs) "
        "or `generate` (`plain`; where nothing else fits). The answers are the same up to "
        "rounding; in bfloat16 most sampled ones differ (docs/speed.md).",
    )
    retry: list[Literal["context", "refused", "filtered", "error"]] = Field(
        default_factory=list,
        description="Ask again for stored answers that are missing for these reasons, such as `[error]`; "
        "for one run, on the command line.",
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
