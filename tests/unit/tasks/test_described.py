"""Tasks that a configuration describes: rows to questions, answers to grades, prompts."""

from random import Random

import pytest
import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import View
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import LocalFile
from selfincorrect.tasks import registry
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.definition import GRADES, Definition
from selfincorrect.tasks.described import DescribedTask
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.templates import TaskPrompts, task_prompts
from selfincorrect.tasks.variant import Variant
from tests.support.scoring import SETTINGS


@pytest.fixture(autouse=True)
def undefined(monkeypatch):
    monkeypatch.setenv(registry.DEFINED, "{}")


def task(**definition):
    return DescribedTask("mine", Definition(**{"question": "q", "answer": "a", **definition}))


OPTIONS = {"q": "Which is red?", "a": "rose", "one": "grass", "two": "rose", "three": "sky"}


@pytest.mark.parametrize(
    ("definition", "row", "right", "wrong"),
    [
        ({}, {"q": "Where?", "a": "The Hague"}, ["the hague.", "Hague"], ["Paris", "", "Hagueland"]),
        ({"answer": ["a", "b"]}, {"q": "?", "a": "Rome", "b": ["Roma", "urbs"]}, ["ROMA", "Urbs"], ["Milan"]),
        ({"grade": "exact"}, {"q": "?", "a": "Ab  c"}, ["Ab c", " Ab c \nmore"], ["ab c", "Ab"]),
        ({"grade": "number"}, {"q": "?", "a": "1,200.0"}, ["so 1200", "#### $1200.00"], ["12", "none"]),
        ({"grade": "number"}, {"q": "?", "a": 7}, ["It is 7."], ["It is 8."]),
        (
            {"grade": "choice", "options": ["one", "two", "three"]}, OPTIONS,
            ["B", "(B)", "B. rose", "B: it is", "rose", "The rose."], ["A", "C", "Both", "grass"],
        ),
        (
            {"grade": "choice", "options": "all"}, {"q": "?", "a": "2", "all": ["x", "y", "z"]},
            ["C", "z"], ["B", "y"],
        ),
        (
            {"grade": "choice", "options": "all"}, {"q": "?", "a": "A", "all": ["x", "y"]},
            ["A.", "x"], ["B"],
        ),
        (
            {"grade": "regex", "pattern": r"answer is (\w+)"}, {"q": "?", "a": "blue"},
            ["The answer is red. No, the answer is blue."], ["blue", "The answer is red."],
        ),
    ],
)  # fmt: skip
def test_answers_are_graded(definition, row, right, wrong):
    made = task(**definition)
    [question] = made.load([row])
    [(extract, grade)] = made.GRADINGS.values()
    for text in right:
        assert grade(extract(text), question) == 1.0, text
    for text in wrong:
        assert grade(extract(text), question) == 0.0, text
    if made.definition.grade != "regex":
        assert grade(extract(question.references[0]), question) == 1.0, "the reference itself is right"


def test_options_are_part_of_the_question():
    [question] = task(grade="choice", options=["one", "two", "three"]).load([OPTIONS])
    assert question.question == "Which is red?\nA. grass\nB. rose\nC. sky"
    assert question.references == ("B", "rose")


@pytest.mark.parametrize(
    ("definition", "rows", "says"),
    [
        ({"question": "prompt"}, [{"q": "?", "a": "x"}], "no column `prompt`; there are: `q`, `a`"),
        ({}, [{"q": "?", "a": "x"}, {"q": "?", "a": ""}], "row 2 has no answer"),
        ({}, [{"q": " ", "a": "x"}], "row 1 has no question"),
        ({"grade": "number"}, [{"q": "?", "a": "many"}], "'many' is no number"),
        ({"grade": "choice", "options": ["one"]}, [{"q": "?", "a": "D", "one": "x"}], "none of the options"),
    ],
)
def test_rows_that_do_not_fit_are_told(tmp_path, definition, rows, says):
    with pytest.raises(ValueError, match=says):
        task(**definition).load(rows)
    path = tmp_path / "mine.csv"
    path.write_text("q,a\nWhere?,\n")
    with pytest.raises(UserError, match=r"mine.csv has not the columns of this task: .*\nWanted: `q`, `a`"):
        load_questions(task(), LocalFile(path=str(path)))


OWN = [grade for grade in GRADES if grade not in ("puzzle", "instructions")]  # of data of one's own


@pytest.mark.parametrize("grade", OWN)
def test_prompts_work_with_and_without_demonstrations(grade):
    shown = [{"question": f"Is it {n}?", "answer": f"{n} {{x}}", "wrong": ["no"]} for n in range(2)]
    more = {"choice": {"options": "o"}, "regex": {"pattern": "(.)"}, "code": {"tests": "t"}}.get(grade, {})
    for demonstrations in ([], shown):
        made = task(grade=grade, demonstrations=demonstrations, instruction='Say {it} "well".', **more)
        prompts = TaskPrompts.model_validate(made.prompts())
        rows = [
            {"q": "Why {me}?", "a": "7", "o": list("23456789"), "t": "assert 1"},
            {"q": "?", "a": "6", "o": list("456"), "t": "assert 0"},
        ]
        question, other = made.load(rows)
        asked = generation_prompt(question, prompts, made.SHOTS)
        assert asked.instruction == 'Say {it} "well".'
        assert len(asked.shots) == len(demonstrations)
        assert "Why {me}?" in asked.query
        view = View(
            made, prompts, Variant(), 2, [question], SETTINGS.model_copy(update={"shots": made.SHOTS})
        )
        pool = {question.question_id: [Candidate("7 {a}"), Candidate("8")]}
        [each] = discriminations([question], pool, view)
        assert "7" in each.requests[0].prompt.query
        if grade not in ("regex", "code", "program"):
            assert made.simplify("8", question, [question, other], Random(1))


EXPERIMENT = """
models: {m: {source: ./script.yaml, prompt: completion, engine: scripted}}
tasks:
  rivers: {source: {path: rivers.csv}, question: asked, answer: [river, other], limit: 5}
"""


def test_a_configuration_makes_it_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text("rules: [{match: ., answers: [Po]}]")
    (tmp_path / "rivers.csv").write_text("asked,river,other\nLongest?,Nile,\nItaly?,Po,Padus\n")
    config = check(yaml.safe_load(EXPERIMENT))
    made = registry.get_task("rivers")
    assert made.COLUMNS == "`asked`, `river`, `other`"
    questions = load_questions(made, config.task_source("rivers"))
    assert [each.references for each in questions] == [("Nile",), ("Po", "Padus")]
    assert task_prompts("rivers").demonstrations == ()
    assert "rivers" in registry.names()
    check(yaml.safe_load(EXPERIMENT.replace("answer: [river, other]", "answer: river, grade: exact")))
    assert registry.get_task("rivers").definition.grade == "exact"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("source: {path: rivers.csv}", "source: hub", "tasks.rivers.source"),
        ("rivers:", "capitals:", "a name that no task has"),
        (", answer: [river, other]", "", "tasks.rivers.answer"),
        ("limit: 5", "grade: choice", "without `options`"),
        ("limit: 5", "grade: regex", "without `pattern`"),
        ("limit: 5", "grade: regex, pattern: '('", "a regular expression"),
        ("limit: 5", "grade: vibes", "tasks.rivers.grade"),
        ("limit: 5", "shots: 2", "the demonstrations there are"),
        ("asked", "[asked]", "tasks.rivers.question"),
        ("other]", "missing]", "a column of rivers.csv: asked, river"),
    ],
)
def test_what_is_wrong_is_told_before_any_job(tmp_path, monkeypatch, old, new, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text("rules: [{match: ., answers: [Po]}]")
    (tmp_path / "rivers.csv").write_text("asked,river\nLongest?,Nile\n")
    with pytest.raises(UserError) as error:
        check(yaml.safe_load(EXPERIMENT.replace(old, new)))
    assert says in str(error.value)
