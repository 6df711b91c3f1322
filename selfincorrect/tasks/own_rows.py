"""Demonstrations out of the rows of a task's own file, which are no questions then."""

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from selfincorrect.digest import seed_of
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import LocalFile
from selfincorrect.tasks.answers.registry import kind_of
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.definition import Definition

WRONG = 5  # wrong answers of a demonstration, so that any k up to 6 can be shown


def demonstrations_of(source: Any, told: Definition, count: int) -> dict[str, Any]:
    """`demonstrations`, `count` rows of a local file in an order that depends on their texts alone, and
    `held_out`, their questions; nothing where the file cannot be read, which its own check tells.

    Their wrong answers are other options of the question, else what is known to be wrong, else right answers
    to other questions.
    """
    if (
        not isinstance(source, LocalFile)
        or not (path := Path(source.path).expanduser()).is_file()
        or count < 1
    ):
        return {"demonstrations": []}
    try:
        questions = _questions(str(path), path.stat().st_mtime_ns, told.model_dump_json())
    except (UserError, ValueError):
        return {"demonstrations": []}
    ranked = sorted(questions, key=lambda each: seed_of("demonstration", each.question))
    chosen = ranked[:count]
    written = kind_of(told).written
    shown = [
        {
            "question": each.question,
            "answer": written(each.references[0]),
            "wrong": [written(text) for text in _wrong(each, ranked)],
        }
        for each in chosen
    ]
    return {"demonstrations": shown, "held_out": [each.question for each in chosen]}


@cache
def _questions(path: str, changed: int, told: str) -> list[Question]:
    from selfincorrect.sources.rows import read_rows  # slow to import, and needed here alone
    from selfincorrect.tasks.described import DescribedTask

    return DescribedTask("", Definition.model_validate_json(told)).load(read_rows(Path(path)))


def _wrong(question: Question, others: list[Question]) -> list[str]:
    letters = [line[0] for line in question.question.split("\n") if line[1:3] == ". " and line[0].isupper()]
    known = question.details.get("wrong") or [each for each in letters if len(question.references) == 2]
    elsewhere = [each.references[0] for each in others if each.question != question.question]
    pool = [each for each in dict.fromkeys(known or elsewhere) if each not in question.references]
    Random(seed_of("wrong", question.question)).shuffle(pool)
    return pool[:WRONG] or ["I do not know"]
