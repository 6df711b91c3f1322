"""Tasks that a configuration describes: rows to questions, prompts, what is wrong with a description."""

from random import Random

import pytest
import yaml

from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import View
from selfincorrect.errors import UserError
from selfincorrect.sources.kinds import LocalFile
from selfincorrect.tasks import registry
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.definition import GRADES
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.templates import TaskPrompts, task_prompts
from selfincorrect.tasks.variant import Variant
from tests.conftest import ROOT
from tests.support.scoring import SETTINGS
from tests.support.tasks import OPTIONS, task


@pytest.fixture(autouse=True)
def undefined(monkeypatch):
    monkeypatch.setenv(registry.DEFINED, "{}")
    monkeypatch.setenv(registry.INCLUDED, "{}")


EXPERIMENT = """
models: {m: {source: ./script.yaml, prompt: completion, engine: scripted}}
tasks:
  rivers: {source: {path: rivers.csv}, question: asked, answer: [river, other], limit: 5}
"""
SUMS = "q,a,hard\n" + "".join(f"What is {n} + {n}?,{2 * n},{n % 2}\n" for n in range(12))


def test_rows_of_the_file_can_be_the_demonstrations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text("rules: [{match: ., answers: [Po]}]")
    (tmp_path / "sums.csv").write_text(SUMS)
    told = {
        "source": {"path": "sums.csv"},
        "question": "q",
        "answer": "a",
        "grade": "number",
        "level": "hard",
    }
    given = {"models": yaml.safe_load(EXPERIMENT)["models"], "tasks": {"sums": {**told, "demonstrations": 3}}}
    config = check(given)
    shown = task_prompts("sums").demonstrations
    assert len(shown) == 3
    questions = load_questions(registry.get_task("sums"), config.task_source("sums"))
    assert len(questions) == 9
    assert not {each.question for each in questions} & {each.question for each in shown}
    for each in shown:
        n = int(each.question.split()[2])
        assert each.right.text == f"#### {2 * n}"
        assert len(each.wrong) == 5
        assert each.right.text not in [wrong.text for wrong in each.wrong]
    assert {each.details["level"] for each in questions} == {"0", "1"}
    (tmp_path / "sums.csv").write_text(SUMS + "What is 50 + 50?,100,0\n")  # chosen by their texts alone
    check({**given, "seed": 3})
    again = {each.question for each in task_prompts("sums").demonstrations}
    assert len(again & {each.question for each in shown}) >= 2


def test_wrong_letters_of_a_demonstration_are_those_of_its_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text("rules: [{match: ., answers: [Po]}]")
    rows = "".join(f"Which is {n}?,{n},{n + 1},{n + 2}\n" for n in range(5))
    (tmp_path / "which.csv").write_text("q,a,b,c\n" + rows)
    told = {"source": {"path": "which.csv"}, "question": "q", "answer": "a", "grade": "choice"}
    told |= {"options": ["a", "b", "c"], "demonstrations": 2}
    check({"models": yaml.safe_load(EXPERIMENT)["models"], "tasks": {"which": told}})
    for each in task_prompts("which").demonstrations:
        assert each.right.text == "A"
        assert {wrong.text for wrong in each.wrong} == {"B", "C"}


MODULE = """
from selfincorrect.tasks import aliases
from selfincorrect.tasks.base import Question
SOURCES, COLUMNS, SHOTS, ANSWER_TOKENS, CHOICE_TOKENS = {}, "`q`", 0, 8, 8
load = lambda rows: [Question("1", "1", row["q"], (row["a"],)) for row in rows]
trim = final = aliases.first_line
extract, form = aliases.extract, aliases.form
GRADINGS = {"aliases": (extract, aliases.grade)}
simplify = lambda extracted, question, others, draw: "?"
"""


def test_a_module_of_ones_own_is_included(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.yaml").write_text("rules: [{match: ., answers: [Po]}]")
    (tmp_path / "river.csv").write_text("q,a\nWhere?,Po\n")
    (tmp_path / "river.py").write_text(MODULE)
    prompts = yaml.safe_load((ROOT / "selfincorrect/tasks/capitals.yaml").read_text())
    (tmp_path / "river.yaml").write_text(yaml.safe_dump(prompts))
    given = {"models": yaml.safe_load(EXPERIMENT)["models"], "include": ["river.py"]}
    given["tasks"] = {"river": {"source": {"path": "river.csv"}}}
    config = check(given)
    [question] = load_questions(registry.get_task("river"), config.task_source("river"))
    assert (question.question, question.references) == ("Where?", ("Po",))
    before = slices.grade(config, "m", "river")
    assert before == slices.grade(config, "m", "river")
    (tmp_path / "river.py").write_text(MODULE + "\n# changed\n")
    assert slices.grade(check(given), "m", "river") != before
    for name, says in (
        ("gone.py", "gone.py"),
        ("river.yaml", "a module, mine.py"),
        ("capitals.py", "no task's"),
    ):
        with pytest.raises(UserError, match=says):
            check({**given, "include": [name]})
    (tmp_path / "river.py").write_text("1 / 0")
    registry._own.cache_clear()
    with pytest.raises(UserError, match="cannot be run: ZeroDivisionError"):
        check(given)


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
