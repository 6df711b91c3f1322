"""Solutions of puzzles, right if the puzzle's own checker finds no fault."""

from collections.abc import Mapping
from typing import Any

from selfincorrect.engines import thoughts
from selfincorrect.tasks.answers.checked import Checked
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.puzzles.base import puzzles

_NEXT = "\nPuzzle:"


class Puzzle(Checked):
    """What stands behind the last ####, else the last line."""

    prompts = "puzzle"
    tokens = 256

    def written(self, reference: str) -> str:
        return f"#### {reference}"

    def trim(self, text: str) -> str:
        return (thoughts.answer(text) or "").split(_NEXT, 1)[0].strip()

    def final(self, text: str) -> str:
        return self.extract(text) or ""

    def extract(self, text: str) -> str | None:
        answer = self.trim(text)
        marked = answer.rsplit("####", 1)[-1] if "####" in answer else answer.rsplit("\n", 1)[-1]
        return " ".join(marked.strip("`*$ \n").split("\n", 1)[0].split()) or None

    def tests(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"puzzle": row["puzzle"], "facts": row["facts"]}

    def why(self, extracted: str | None, question: Question) -> str | None:
        if extracted is None:
            return "there is no solution"
        return puzzles(question.details["puzzle"]).fault(extracted, question.details["facts"])
