"""Answers to requests with instructions that a program checks, as lm-evaluation-harness checks IFEval's."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from random import Random
from typing import Any

from selfincorrect.digest import canonical_json
from selfincorrect.engines import thoughts
from selfincorrect.tasks import fields
from selfincorrect.tasks.answers.checked import Checked
from selfincorrect.tasks.base import Question


class Instructions(Checked):
    """Right if every instruction is followed by the letter (the strict measure of the paper, by prompts)."""

    prompts = "request"
    tokens = 1280

    def hindrance(self) -> str | None:
        missing = [name for name in ("lm_eval", "langdetect", "immutabledict", "nltk") if not find_spec(name)]
        if missing:
            return f"the package {missing[0]}, which checks instructions: pip install 'lm_eval[ifeval]'"
        return None

    def trim(self, text: str) -> str:
        return (thoughts.answer(text) or "").strip()

    def extract(self, text: str) -> str | None:
        return self.trim(text) or None

    def tests(self, row: Mapping[str, Any]) -> dict[str, Any]:
        options = [
            {name: each for name, each in (given or {}).items() if each is not None}
            for given in fields.value(row, str(self.told.tests))
        ]
        return {"instructions": fields.texts(row, self.told.answer), "options": options}

    def simplify(
        self, extracted: str | None, question: Question, others: Sequence[Question], draw: Random
    ) -> str:
        """An answer that does nothing of what is asked."""
        return "I have nothing to say about that."

    def why(self, extracted: str | None, question: Question) -> str | None:
        if extracted is None:
            return "there is no answer"
        told = question.details
        options = canonical_json(told["options"])
        return _neglected(extracted, question.question, tuple(told["instructions"]), options)


@lru_cache(maxsize=4096)
def _neglected(answer: str, request: str, instructions: tuple[str, ...], options: str) -> str | None:
    """The first instruction that an answer does not follow; None where it follows all."""
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT  # slow to import

    for name, given in zip(instructions, json.loads(options), strict=True):
        instruction = INSTRUCTION_DICT[name](name)
        instruction.build_description(**given)
        if "prompt" in (instruction.get_instruction_args() or {}):
            instruction.build_description(prompt=request)
        if not instruction.check_following(answer):
            return f"it does not follow {name}"
    return None
