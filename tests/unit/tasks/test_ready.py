"""Tasks that this package describes: their data from a hub, gold answers right, wrong ones wrong."""

import json
from importlib.util import find_spec

import pytest

from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
from selfincorrect.errors import UserError
from selfincorrect.sandbox import sandbox
from selfincorrect.sandbox.sandbox import hindrance
from selfincorrect.sources.kinds import Generated, HubFile, LocalFile
from selfincorrect.tasks import registry
from selfincorrect.tasks.base import executes
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from tests.support.hub_rows import CALLS, CONTEST, SAMPLES, content

MADE = [name for name in registry.READY if "made" in get_task(name).SOURCES]
IN_A_PACKAGE_ALONE = ["arithmetic", "math"]


def question_of(name, tmp_path, row=None):
    """The question that the made row of a task becomes, read from a file as the hub has it."""
    file = next(each.file for each in get_task(name).SOURCES.values() if isinstance(each, HubFile))
    path = tmp_path / file.rsplit("/", 1)[-1]
    path.write_bytes(content(file, [row or SAMPLES[name].row]))
    [question] = load_questions(get_task(name), LocalFile(path=str(path)))
    return question


def test_every_task_is_tested():
    assert set(registry.READY) == {*SAMPLES, *MADE, *IN_A_PACKAGE_ALONE}


@pytest.mark.parametrize("name", SAMPLES)
def test_data_of_the_hubs_schema_is_read_and_graded(name, tmp_path):
    task, sample = get_task(name), SAMPLES[name]
    question = question_of(name, tmp_path)
    assert sample.says in question.question
    if executes(task) and hindrance():
        pytest.skip(f"no sandbox: {hindrance()}")
    if name == "ifeval" and not find_spec("lm_eval"):
        pytest.skip("lm_eval is not installed")
    for extract, grade in task.GRADINGS.values():
        assert grade(extract(sample.right), question) == 1.0
        assert grade(extract(sample.wrong), question) == 0.0
        assert (task.why(extract(sample.wrong), question) is None) == (not task.kind.tells)


def test_methods_of_a_class_are_called(tmp_path):
    row = {**CONTEST, "question_id": "b", "public_test_cases": json.dumps(CALLS), "private_test_cases": "[]"}
    question = question_of("livecodebench", tmp_path, {**row, "metadata": '{"func_name": "shift"}'})
    if hindrance():
        pytest.skip(f"no sandbox: {hindrance()}")
    [(extract, grade)] = get_task("livecodebench").GRADINGS.values()
    program = (
        "class Solution:\n    def shift(self, values, by):\n        return [each + {} for each in values]"
    )
    assert grade(extract(program.format("by")), question) == 1.0
    assert grade(extract(program.format("1")), question) == 0.0


def test_a_pickle_of_tests_runs_nothing(tmp_path):
    import base64
    import os
    import pickle
    import zlib

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/evil",)

    packed = base64.b64encode(zlib.compress(pickle.dumps(Evil()))).decode()
    row = {
        **CONTEST,
        "question_id": "b",
        "public_test_cases": "[]",
        "private_test_cases": packed,
        "metadata": "{}",
    }
    with pytest.raises(UserError, match="system"):
        question_of("livecodebench", tmp_path, row)
    assert not (tmp_path / "evil").exists()


def test_options_in_an_order_of_their_own_keep_their_answer(tmp_path):
    texts, places = set(), set()
    for number in range(12):
        question = question_of(
            "gpqa_diamond", tmp_path, {**SAMPLES["gpqa_diamond"].row, "Question": f"Which {number}?"}
        )
        letter, option = question.references
        assert f"\n{letter}. {option}" in question.question
        assert option == "this"
        places.add(letter)
        texts.add(question.question)
    assert len(places) > 2
    assert len(texts) == 12


@pytest.mark.parametrize("name", MADE)
def test_puzzles_have_their_solution_and_depend_on_their_number_alone(name):
    task = get_task(name)
    source = task.SOURCES["made"]
    assert isinstance(source, Generated)
    questions = load_questions(task, source.model_copy(update={"count": 30}))
    [(extract, grade)] = task.GRADINGS.values()
    for question in questions:
        assert grade(extract(f"So.\n#### {question.references[0]}"), question) == 1.0
        assert task.why(extract(""), question)
    few = load_questions(task, source.model_copy(update={"count": 5}))
    assert {each.question_id for each in few} < {each.question_id for each in questions}
    assert set(few) <= set(questions)
    other = load_questions(task, source.model_copy(update={"seed": 1, "count": 30}))
    assert {each.question for each in other} != {each.question for each in questions}
    sizes = {each.details["level"] for each in questions}
    assert len(sizes) == len(source.sizes)
    shown = {each.question for each in task_prompts(name).demonstrations}
    assert not shown & {each.question for each in questions}


@pytest.mark.parametrize("name", MADE)
def test_spoiled_solutions_are_wrong_for_the_reason_that_is_told(name):
    demonstrations = task_prompts(name).demonstrations
    assert len(demonstrations) >= 6
    for shown in demonstrations:
        assert len(shown.wrong) >= 3
        assert all(each.remark.startswith("is wrong: ") for each in shown.wrong)


FAULTS = [
    ("sudoku", {"given": [[1, 0, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}, [
        ("1 2 3 4 / 3 4 1 2 / 2 1 4 3 / 4 3 2 1", None),
        ("1 2 3 4 / 3 4 1 2 / 2 1 4 3", "rows"),
        ("2 1 3 4 / 3 4 1 2 / 2 1 4 3 / 4 3 2 1", "was given"),
        ("1 4 3 4 / 3 4 1 2 / 2 1 4 3 / 4 3 2 1", "a row"),
        ("", "rows"), ("1234/3412/2143/4321", "rows"),
    ]),
    ("sat", {"clauses": [[1, 2, 3], [-1, -2, 3]], "variables": 3}, [
        ("x1=1 x2=0 x3=0", None), ("x1 = true, x2=F, x3=0", None), ("x1=1 x2=1 x3=0", "does not hold"),
        ("x1=1 x2=0", "x3 has no value"), ("", "x1 has no value"),
    ]),
    ("matrix", {"product": [[-15, 7], [0, 3]]}, [
        ("[[-15, 7], [0, 3]]", None), ("[-15 7] [0 3]", None), ("[[−15, 7], [0, 3]]", None),
        ("[[-15, 7], [0, 4]]", "row 2, column 2"), ("[[-15, 7]]", "rows"), ("-15 7 0 3", "rows"),
    ]),
    ("countdown", {"target": 24, "numbers": [3, 8, 2]}, [
        ("3 * 8", None), ("(8 - 2) * (3 + 1)", "not there"), ("8 × 3 = 24", None), ("8 * 3 * 2 / 2", "twice"),
        ("8 + 3", "it is 11"), ("8 / 0", "no calculation"), ("__import__('os')", "no calculation"),
        ("9**9**9", "no calculation"),
        ("(" * 150, "no calculation"), ("", "no calculation"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "cases"), FAULTS)
def test_checkers_by_hand(name, facts, cases):
    from selfincorrect.tasks.puzzles.base import puzzles

    for solution, says in cases:
        fault = puzzles(name).fault(solution, facts)
        assert (fault is None) == (says is None), (solution, fault)
        assert says is None or says in fault, (solution, fault)


@pytest.mark.parametrize(("name", "size"), [("sudoku", 5), ("sat", 2), ("countdown", 1)])
def test_sizes_that_cannot_be_are_told(name, size):
    with pytest.raises(UserError, match=r"not the columns|numbers|rows|variables"):
        load_questions(get_task(name), Generated(generator=name, sizes=[size], count=1))


def test_code_that_is_found_by_its_name_is_in_the_digest_of_its_task(monkeypatch):
    models = {"m": {"source": "a/b", "revision": "main", "prompt": "chat"}}
    names = ("sudoku", "sat", "sciq", "nq_open", "math")
    config = check({"models": models, "tasks": {name: {} for name in names}})
    found = {name: slices.grade(config, "m", name) for name in names}
    assert found["sciq"]["code"] == found["nq_open"]["code"], "one kind of answer"
    assert len({each["code"] for each in found.values()}) == 4
    assert "about" not in found["sciq"]["described"]
    inside = {path.stem for path in sandbox._INSIDE.glob("*.py")} - {"__init__"}
    assert inside == set(sandbox.INSIDE)
    assert {f"sandbox.inside.{name}" for name in inside} < set(slices._described_by({"grade": "code"}))
