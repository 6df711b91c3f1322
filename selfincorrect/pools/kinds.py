"""Pools from elsewhere: candidates that another program sampled, and that are brought into our form.

Here are their descriptions in the configuration. `formats` has a reader for each; `match` checks what was
read and matches it to a task.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

_FORMATS = (
    "`canonical` (a row a candidate), `lm-eval` (samples logged by lm-evaluation-harness) "
    "or `columns` (a row a question)."
)
OUTPUTS = "outputs"  # the variant of choices that came with a pool


class Outputs(BaseModel):
    """Discrimination outputs that came with a flat file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    column: str = Field(description="Column of the outputs of a model that was shown all answers, in order.")
    ending: str = Field("### {label}", description="The ending that the model was told to give.")
    pattern: str | None = Field(
        None,
        description="Regular expression with one group, to read labels otherwise: "
        "its last match is the label.",
    )


class Scores(BaseModel):
    """Scores of the candidates that another program gave; the highest is chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    columns: list[str] = Field(
        min_length=1,
        description="Columns of scores, in order of sample; where a row is a candidate, the one column.",
    )
    probabilities: bool = Field(
        False,
        description="Whether they are probabilities that a candidate is right: then calibration is measured.",
    )


class Judgements(BaseModel):
    """What another program preferred of two candidates, asked in both orders; it is a vote of two."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    given: str = Field(
        description="Column of what was preferred in the given order: `A>B`, `A`, `1` or `first`, or a tie."
    )
    swapped: str = Field(description="Column of what was preferred of the two in the other order.")
    mapped: bool = Field(
        False,
        description="Whether `swapped` names candidates already, and not the positions that were shown.",
    )


Preferred = str | list[str] | Scores | Judgements


class _Pool(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: str = Field(min_length=1, description="The file: parquet, CSV or JSON lines (also gzipped).")

    outputs: Outputs | None = Field(
        None,
        description="Discrimination outputs in the same file, `{column: …}` "
        "(of a question's first row that has one), and `ending` or `pattern` to read them.",
    )

    scores: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")], Preferred] = Field(
        default_factory=dict,
        description="Scores of the candidates in the same file that other programs gave, by a name, higher "
        "is better: a column, a list of columns, `{columns: […], probabilities: true}`, or judgements of two "
        "candidates in both orders, `{given: …, swapped: …}`.",
    )

    def preferred(self) -> dict[str, Scores | Judgements]:
        """What `scores` names, written out."""
        return {name: _written_out(each) for name, each in self.scores.items()}

    def file(self) -> Path:
        return Path(self.path).expanduser()


def _written_out(given: Preferred) -> Scores | Judgements:
    if isinstance(given, str | list):
        return Scores(columns=[given] if isinstance(given, str) else given)
    return given


class CanonicalPool(_Pool):
    """A row a candidate: `question_id` (or `question`, its exact text), `sample`, `text`, \
and `grade` if it has one."""

    format: Literal["canonical"] = Field("canonical", description=_FORMATS)


class LmEvalPool(_Pool):
    """The samples file of lm-evaluation-harness's `--log_samples`; its `repeats` are the candidates."""

    format: Literal["lm-eval"] = Field(description=_FORMATS)


class FlatPool(_Pool):
    """A row a question, with a column for each candidate."""

    format: Literal["columns"] = Field(description=_FORMATS)
    question: str = Field("question", description="`columns`: the column of the question's text or id.")
    answers: list[str] = Field(
        min_length=1, description="`columns`: the columns of the candidates, in order of sample."
    )
    grades: list[str] | None = Field(
        None, description="`columns`: the columns of their grades (true and false, or numbers), if given."
    )
    texts: Literal["final", "solution"] = Field(
        "final", description="`columns`: whether the candidates are final answers alone, or whole solutions."
    )
    drop: list[str | None] = Field(
        [],
        description="`columns`: texts that stand for no answer, or null: "
        "a question that has one is left out.",
    )


AnyPool = CanonicalPool | LmEvalPool | FlatPool
FORMATS = {"canonical": CanonicalPool, "lm-eval": LmEvalPool, "columns": FlatPool}


def _format(value: Any) -> str | None:
    if isinstance(value, Mapping):
        name = value.get("format", "canonical")
    else:
        name = getattr(value, "format", "canonical")
    return f"pool-{name}" if name in FORMATS else None


Pool = Annotated[
    Annotated[CanonicalPool, Tag("pool-canonical")]
    | Annotated[LmEvalPool, Tag("pool-lm-eval")]
    | Annotated[FlatPool, Tag("pool-columns")],
    Discriminator(
        _format,
        custom_error_type="pool_format",
        custom_error_message="a mapping with `path` and `format`: canonical, lm-eval or columns",
    ),
]
