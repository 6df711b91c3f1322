"""How candidates are drawn, a section of the configuration, and all that the stage is told."""

from pydantic import Field

from selfincorrect.sections import Section, StageSettings


class SamplingConfig(Section):
    n: int = Field(4, ge=1, description="Candidates per question (the pool).")
    temperature: float = Field(
        0.7, gt=0, allow_inf_nan=False, strict=False, description="Sampling temperature."
    )
    top_p: float = Field(1.0, gt=0, le=1, strict=False, description="Nucleus sampling; 1 is off.")
    max_characters: int = Field(
        100_000,
        ge=1_000,
        le=10_000_000,
        description="Longest candidate in characters; longer ones are cut there, and counted.",
    )


class Settings(StageSettings):
    """What the stage is told of the task and of the experiment."""

    seed: int
    limit: int | None = None
    shards: int = 1
    shots: int
    answer_tokens: int
    sampling: SamplingConfig
