"""Kinds of answers: which are right, of each kind by hand."""

import pytest
import yaml

from selfincorrect.engines.requests import Response
from selfincorrect.sandbox.sandbox import hindrance
from selfincorrect.tasks.answers import equality
from selfincorrect.tasks.answers.code import whole
from tests.conftest import ROOT
from tests.support.tasks import OPTIONS, task


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


@pytest.mark.parametrize(
    "case", yaml.safe_load((ROOT / "tests/cases/math.yaml").read_text()), ids=lambda c: c["answer"]
)
def test_mathematics_is_compared_as_such(case):
    made = task(grade="math")
    [question] = made.load([{"q": "?", "a": case["answer"]}])
    [(extract, grade)] = made.GRADINGS.values()
    for text in case["right"]:
        assert grade(extract(text), question) == 1.0, text
    for text in case["wrong"]:
        assert grade(extract(text), question) == 0.0, text


def test_what_cannot_be_simplified_in_time_is_not_equal(monkeypatch):
    """A model's expression can take for ever: the process that compares is ended, and another begins."""
    monkeypatch.setattr(equality, "SECONDS", 0.5)
    assert not equality.equal("4", "9^{9^{9^{9^{9^{9}}}}}")
    monkeypatch.setattr(equality, "SECONDS", 20.0)
    assert equality.equal("4", "2^2")


@pytest.mark.parametrize(
    ("definition", "row", "right", "wrong"),
    [
        (
            {"grade": "similarity"}, {"q": "?", "a": "It rains a lot in autumn"}, ["in autumn it rains"],
            ["It is dry"],
        ),
        (
            {"grade": "similarity", "wrong": "no"}, {"q": "?", "a": "the sky is blue", "no": "sky is red"},
            ["blue sky"], ["red sky", "sky"],
        ),
        (
            {"grade": "choice", "options": ["a", "no"], "shuffle": True},
            {"q": "?", "a": "yes", "no": "never"}, ["yes"], ["never"],
        ),
        ({"grade": "code", "tests": "t"}, {"q": "?", "a": "def f(): return 1", "t": "assert f() == 1"},
         ["```python\ndef f():\n    return 1\n```", "So:\n```\nx = 1\n```\n```\ndef f(): return x\nx = 1"],
         ["def f(): return 2", "", "none"]),
    ],
)  # fmt: skip
def test_further_grades(definition, row, right, wrong):
    if definition["grade"] == "code" and hindrance():
        pytest.skip(f"no sandbox: {hindrance()}")
    test_answers_are_graded(definition, row, right, wrong)


CODE = [
    ("```python\ndef f():\n    return 1\n```", "def f():\n    return 1"),
    ("```\nx = 1\n```\nthen\n```py\ndef f(): pass\n```\nfor example\n```\nf()\n```", "def f(): pass"),
    ("def f():\n    return 1\n```\n\nThis is recursive.", "def f():\n    return 1"),  # no fence before
    ("```python\ndef f():\n    return 1", "def f():\n    return 1"),  # cut
    ("```python\ndef f(): return 1\n```\nor\n```python\ndef f(): retu", "def f(): return 1"),
    ("def f(): return 1", "def f(): return 1"), ("    return 1", "return 1"),
    ("Here:\n```\nf = 1\n```", "f = 1"), ("", None), ("```", None), ("```python\n```", None),
    ("I use `def f` and ```x``` inline", "I use `def f` and ```x``` inline"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), CODE)
def test_the_code_of_an_answer(text, code):
    assert task(grade="code", tests="t").extract(text) == code


@pytest.mark.parametrize(
    "answer",
    [
        "    a = x\n    return a", "    if x:\n        return x\n    return 0", "a = x\nreturn a",
        "    for a in [x]:\n        return a", "for a in [x]:\n    return a", "return x",
        "if x:\n    return x\nreturn 0", "def f(x):\n    return x",
    ],
)  # fmt: skip
def test_an_answer_may_be_the_body_of_its_function(answer):
    space = {}
    extracted = task(grade="code", tests="t").extract(answer)
    exec(whole(extracted, 'def f(x):\n    """ Give x. """\n', "f"), space)
    assert space["f"](7) == 7


def test_a_judge_says_whether_an_answer_means_the_right_one():
    made = task(grade="judge")
    [question] = made.load([{"q": "When?", "a": "1887"}])
    judge = made.JUDGES["judge"]
    prompt = judge.prompt([question], ["In 1887."])
    assert "Right answer: 1887\nAnswer given: In 1887." in prompt.query
    said = {"Yes": 1.0, "no.": 0.0, "<think>no</think>Yes": 1.0, "maybe": None, "Yes. No": 0.0, "": None}
    for text, reading in said.items():
        assert judge.read(Response(text, "", "stop", 1, 1, None)) == reading
    assert made.judged({"judge": 1.0}) == 1.0
    assert made.GRADINGS == {}
