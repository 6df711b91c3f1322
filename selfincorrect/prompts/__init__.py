"""Prompts: an instruction, demonstrations and a query, as plain data until an engine renders them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Prompt:
    """What is asked. Prompts with the same `instruction` and `shots` share their beginning when rendered."""

    instruction: str
    shots: tuple[tuple[str, str], ...]  # (query, response)
    query: str

    def text(self) -> str:
        """As one text to be continued, for base models."""
        shots = [f"{query} {response}" for query, response in self.shots]
        return "\n\n".join([self.instruction, *shots, self.query])

    def messages(self) -> list[dict[str, str]]:
        """As a conversation; the instruction opens the first turn, since not every template has a system role."""
        turns = []
        for query, response in self.shots:
            turns += [("user", query), ("assistant", response)]
        turns.append(("user", self.query))
        turns[0] = ("user", f"{self.instruction}\n\n{turns[0][1]}")
        return [{"role": role, "content": content} for role, content in turns]

    def rendered(self, mode: str) -> str | list[dict[str, str]]:
        """`text` for mode "completion", `messages` for mode "chat"."""
        return self.messages() if mode == "chat" else self.text()


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GenerateTemplate(_Data):
    instruction: str
    query: str
    stop: tuple[str, ...]


class DiscriminateTemplate(_Data):
    """How candidates are shown; `ending` is how the instructed output ends."""

    instruction: str
    query: str
    candidate: str
    remark: str = ""
    response: str
    ending: str
    stop: tuple[str, ...]


class DemonstrationAnswer(_Data):
    text: str
    remark: str = ""


class Demonstration(_Data):
    question: str
    right: DemonstrationAnswer
    wrong: tuple[DemonstrationAnswer, ...] = Field(min_length=1)


class TaskPrompts(_Data):
    """The prompt file of a task. `discriminate` has a template for each way to show candidates, default first."""

    generate: GenerateTemplate
    discriminate: dict[str, DiscriminateTemplate] = Field(min_length=1)
    demonstrations: tuple[Demonstration, ...]

    def way(self, variant: Mapping[str, Any]) -> str:
        """How a variant shows candidates, a key of `discriminate`: easy distractors are final answers."""
        if variant["candidates"] is not None:
            return str(variant["candidates"])
        return "final" if variant["distractors"] == "easy" else next(iter(self.discriminate))

    def data(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


@cache
def task_prompts(task: str) -> TaskPrompts:
    """The prompts of the task called `task`."""
    text = Path(__file__).with_name(f"{task}.yaml").read_text(encoding="utf-8")
    return TaskPrompts.model_validate(yaml.safe_load(text))
