"""The demonstrations of every prompt file: enough of them, graded as they say, right answers not given
away by form.
"""

import re
from pathlib import Path
from statistics import mean

import pytest
import yaml

from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks import sentiment_reversal
from selfincorrect.tasks import templates as prompts
from selfincorrect.tasks.base import Question

FILES = [path for path in sorted(Path(prompts.__file__).parent.glob("*.yaml")) if path.stem in tasks.NAMES]
DATA = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["demonstrations"] for path in FILES}
# Of tasks that share demonstrations, one.
SHARING = {tasks.ready()[name].get("examples") or name: name for name in tasks.READY if name != "ifeval"}
for _name in SHARING.values():
    described = [each.model_dump(exclude_none=True) for each in prompts.task_prompts(_name).demonstrations]
    DATA[_name] = described
LEAST = {"mt_bench": 9}
GRADED_BY_A_MODEL = {"mt_bench", "truthfulqa", "simpleqa"}
BY_DETAILS = {"livecodebench", "mbpp", "sudoku", "sat", "matrix", "countdown"}  # see their own tests
each_file = pytest.mark.parametrize("name", sorted(DATA))


def answers(demonstration):
    return [demonstration["right"], *demonstration["wrong"]]


def length(answer):
    return len(answer["text"]) + len(answer.get("follow_up", ""))


def question_of(name, demonstration):
    """The demonstration as a question of its task, its references as `load` would give them."""
    text = demonstration["question"]
    about = text.partition(": ")[2]
    right = tasks.get_task(name).extract(demonstration["right"]["text"])
    references = {
        "constrained_generation": lambda: (right, *about.split(", ")),
        "acronym_generation": lambda: (right, about),
        "sentiment_reversal": lambda: (
            sentiment_reversal.OPPOSITE[sentiment_reversal.sentiment(about)],
            text.split('"')[1],
        ),
    }
    return Question("d", "d", text, references[name]() if name in references else (right,))


def test_every_task_has_demonstrations():
    assert set(tasks.BUILT_IN) <= set(DATA)
    without = {name for name in tasks.NAMES if not prompts.task_prompts(name).demonstrations}
    assert without == {"ifeval"}


@each_file
def test_there_are_enough_and_no_two_answers_are_equal(name):
    demonstrations = DATA[name]
    assert len(demonstrations) >= LEAST.get(name, 6)
    assert len({each["question"] for each in demonstrations}) == len(demonstrations)
    for each in demonstrations:
        assert len(each["wrong"]) >= 3
        shown = {(answer["text"], answer.get("follow_up")) for answer in answers(each)}
        assert len(shown) == len(answers(each)), each["question"]


@each_file
def test_every_answer_has_a_remark_of_one_form(name):
    for each in DATA[name]:
        for answer in answers(each):
            remark = answer["remark"]
            assert re.fullmatch(r"[a-z]+s [^\n]+\.", remark), remark  # goes on after "Answer 2 "
            assert 5 <= len(remark.split()) <= 16, remark
            assert not re.search(r"\b(answer|solution|conversation|result|label) [0-9A-Z]\b", remark), remark


@each_file
def test_length_does_not_give_the_right_answer_away(name):
    right = [length(each["right"]) for each in DATA[name]]
    wrong = [[length(answer) for answer in each["wrong"]] for each in DATA[name]]
    ratio = mean(right) / mean(n for lengths in wrong for n in lengths)
    assert 0.75 <= ratio <= 1.25
    assert sum(r > max(w) for r, w in zip(right, wrong, strict=True)) <= len(right) / 2
    assert sum(r < min(w) for r, w in zip(right, wrong, strict=True)) <= len(right) / 2


@each_file
def test_turns_are_given_for_all_answers_or_none(name):
    for each in DATA[name]:
        assert ("follow_up" in each) == (name == "mt_bench")
        assert all(("follow_up" in answer) == ("follow_up" in each) for answer in answers(each))


@pytest.mark.parametrize("name", sorted(set(DATA) - GRADED_BY_A_MODEL - BY_DETAILS))
def test_demonstrations_are_graded_as_they_say(name):
    task = tasks.get_task(name)
    extract, grade = next(iter(task.GRADINGS.values()))
    for each in DATA[name]:
        question = question_of(name, each)
        assert grade(extract(each["right"]["text"]), question) == 1, each["question"]
        for answer in each["wrong"]:
            assert grade(extract(answer["text"]), question) == 0, answer


@pytest.mark.parametrize("name", ["constrained_generation", "acronym_generation", "sentiment_reversal"])
def test_demonstrations_look_like_questions_and_are_none(name):
    task = tasks.get_task(name)
    rows = [
        {"words": "a;b", "example": "", "title": "A b", "word": "a", "sentiment": "positive", "review": "b"}
    ]
    form = task.load(rows)[0].question.partition(": ")[0]
    for each in DATA[name]:
        assert re.sub('"[^"]+"', '"a"', each["question"].partition(": ")[0]) == form
