"""Tasks to test with: those that are modules, and of those that are described one for each kind of answer."""

from selfincorrect.tasks import registry
from selfincorrect.tasks.base import Question, Task
from selfincorrect.tasks.definition import Definition
from selfincorrect.tasks.described import DescribedTask
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import BUILT_IN

_BY_GRADE = {registry.ready()[name]["grade"]: name for name in registry.READY}
EACH_KIND = (*BUILT_IN, *_BY_GRADE.values())
# Graded by what they say alone: not by running it, and not by another package.
BY_RULES = tuple(
    name
    for name in EACH_KIND
    if name not in {_BY_GRADE[each] for each in ("code", "program", "instructions")}
)


def a_question(task: Task) -> Question:
    """A question of a task whose answer is the number 12."""
    made = task.SOURCES.get("made")
    if made:
        return load_questions(task, made)[0]
    return Question("q", "q", "?", ("12", "noun"), {"wrong": ["13"]})


def task(**definition):
    """A task of data with the columns `q` and `a`."""
    return DescribedTask("mine", Definition(**{"question": "q", "answer": "a", **definition}))


# A row with options, in columns of their own.
OPTIONS = {"q": "Which is red?", "a": "rose", "one": "grass", "two": "rose", "three": "sky"}
