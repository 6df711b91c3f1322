"""How a model that reasons is run, a section of its entry in the configuration."""

from typing import Any, Literal

from pydantic import Field

from selfincorrect.sections import Section


class ReasoningConfig(Section):
    budget: int | None = Field(
        None,
        ge=1,
        description="Longest thought in tokens, beside the answer's own. In this process, and of completions "
        "at a server, a thought that is longer is closed and the answer asked for (budget forcing); a chat "
        "server cannot be made to, and gets both together as its limit.",
    )
    close: str = Field(
        "\n</think>\n\n",
        min_length=1,
        description="What closes a thought at its budget, in the model's own tags.",
    )
    tags: list[str] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="The tags that open and close its thoughts, where they are unusual.",
    )
    thinking: bool | None = Field(
        None, description="`enable_thinking` of its chat template; default: the template's own."
    )
    effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        None, description="`reasoning_effort`, of servers that take it."
    )

    def body(self) -> dict[str, Any]:
        """What each call to a server says of it."""
        told: dict[str, Any] = {}
        if self.effort is not None:
            told["reasoning_effort"] = self.effort
        if self.thinking is not None:
            told["chat_template_kwargs"] = {"enable_thinking": self.thinking}
        return told

    def template(self) -> dict[str, Any]:
        """What a chat template in this process is told."""
        return {} if self.thinking is None else {"enable_thinking": self.thinking}
