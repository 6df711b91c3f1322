"""The bases of sections of the configuration and of what stages read of them, and the section of a model's
server.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A mapping of the configuration: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StageSettings(BaseModel):
    """What a stage reads of the params of its rule, which hold more: digests of code and prompts."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PriceConfig(Section):
    input: float = Field(
        ge=0, strict=False, description="Price of a million tokens of prompts, in any currency."
    )
    output: float = Field(ge=0, strict=False, description="Price of a million tokens of answers.")
    cached: float | None = Field(
        None,
        ge=0,
        strict=False,
        description="Price of a million tokens of prompts that were in the server's cache; default: `input`.",
    )

    def told(self) -> dict[str, float]:
        """All prices by name."""
        cached = self.input if self.cached is None else self.cached
        return {"input": self.input, "output": self.output, "cached": cached}


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
    batch: bool = Field(
        False,
        description="Send requests as files to the server's batch API, which answers within a day and costs "
        "half at most hosted ones; `concurrency` and `requests_per_minute` do not matter then.",
    )
    logprobs: bool = Field(True, description="Ask for log-probabilities.")
    body: dict[str, Any] = Field(
        default_factory=dict,
        description="What else each call says, such as `{reasoning_effort: low}` or `{chat_template_kwargs: "
        "{enable_thinking: false}}`; part of "
        "what stored answers are known by.",
    )
    price: PriceConfig | None = Field(
        None, description="Prices, for the costs in the report and in estimates."
    )
