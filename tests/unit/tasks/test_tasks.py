"""Graders and parser on tables of cases, prompts on what they must hold."""

import re
from collections import Counter
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from selfincorrect.discriminate.parse import parse_choice
from selfincorrect.discriminate.parse_score import parse_score
from selfincorrect.discriminate.parse_text import parse_text
from selfincorrect.discriminate.requests import right_positions
from selfincorrect.engines.prompt import Prompt
from selfincorrect.errors import UserError
from selfincorrect.tasks import aliases, gsm8k
from selfincorrect.tasks import registry as tasks
from selfincorrect.tasks.base import Question, sample_questions
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.templates import replies, task_prompts
from tests.conftest import ROOT
from tests.support.tasks import BY_RULES, a_question


def cases(name):
    path = ROOT / "tests" / "cases" / f"{name}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases("gsm8k"), ids=lambda c: repr(c["text"])[:40])
def test_gsm8k(case):
    question = Question("q", "q", "?", ("1200",))
    assert gsm8k.extract(case["text"]) == case["flexible"]
    assert gsm8k.extract_strict(case["text"]) == case["strict"]
    if "lm_eval" in case:
        assert gsm8k.extract_lm_eval(case["text"]) == case["lm_eval"]
    assert gsm8k.grade(gsm8k.extract(case["text"]), question) == case["right"]


@pytest.mark.parametrize("case", cases("aliases"), ids=lambda c: repr(c["text"])[:40])
def test_aliases(case):
    question = Question("q", "q", "?", tuple(case["references"]))
    assert aliases.grade(aliases.extract(case["text"]), question) == case["right"]
    assert aliases.grade_lm_eval(aliases.extract_lm_eval(case["text"]), question) == case["lm_eval"]


@pytest.mark.parametrize("case", cases("parse"), ids=lambda c: repr(c["output"])[:40])
def test_parse(case):
    shown = case.get("shown", ())
    parsed = parse_choice(
        case["output"], list(case["labels"]), case["ending"], case.get("finished", True), shown
    )
    assert (parsed.parsed, parsed.how) == (case["label"], case["how"])
    assert [case["labels"][slot] for slot in parsed.slots] == ([case["label"]] if case["label"] else [])


FORMS = (
    "{}", "({})", "**{}**", "<{}>", "{}.", "{}. Paris", "{}) Paris", "{} – Paris", "{} is best",
    "{} because it fits", "Answer: {}", "Answer: **{}**",
    "The best is {}.", "I take {} because it fits", "Option {} gives the sum", "Option #{}", "So ${}$",
    "### {}", "### Option {}", "### {} apples",
    "{} apples", "I have {} apples", "not {}", "### {} or so", "I choose {},\nfor it fits",
    "Answer: {} city in France",
)  # fmt: skip


@pytest.mark.parametrize("ending", ["### {label}", "{label}"])
@pytest.mark.parametrize("form", FORMS)
def test_every_label_is_read_in_the_same_forms(form, ending):
    for labels in ("1234", "ABCDEFGHI"):
        read = {label: parse_choice(form.format(label), list(labels), ending) for label in labels}
        assert {chosen.parsed == label for label, chosen in read.items()} in ({True}, {False})
        assert len({chosen.how for chosen in read.values()}) == 1


@given(st.text(), st.integers(2, 6))
def test_parser_takes_any_text(text, k):
    labels = [str(i + 1) for i in range(k)]
    for ending in ("### {label}", "{label}"):
        parsed = parse_choice(text, labels, ending)
        assert (parsed.parsed in labels) == bool(parsed.slots) == (parsed.how in ("strict", "loose"))


@settings(deadline=None, max_examples=40)  # the first call imports what some graders use
@given(st.text())
def test_graders_take_any_text(text):
    for name in BY_RULES:
        task = tasks.get_task(name)
        question = a_question(task)
        for extract, grade in task.GRADINGS.values():
            assert 0.0 <= grade(extract(text), question) <= 1.0
        assert isinstance(task.trim(text), str)


def test_simplified_numbers_are_far_off_and_wrong():
    question = Question("q", "q", "?", ("500",))
    for number in ("5", "7", "50000", "-3", "0.5"):
        seen = {gsm8k.simplify(number, question, [], Random(seed)) for seed in range(20)}
        assert "500" not in seen
        assert all(float(each) / float(number) in (100, 0.01) for each in seen)
    assert {gsm8k.simplify("7", question, [], Random(s)) for s in range(20)} == {"700", "0.07"}
    assert gsm8k.simplify(None, question, [], Random(0)) == ""


def test_simplified_alias_answers_are_right_elsewhere():
    questions = [
        Question(f"q{i}", f"q{i}", "?", (name,)) for i, name in enumerate(["Paris", "the paris", "Rome", ""])
    ]
    assert {aliases.another_answer(questions[0], questions, Random(s)) for s in range(30)} == {"Rome"}
    with pytest.raises(UserError, match="none that is wrong"):
        aliases.another_answer(questions[0], questions[:2], Random(0))


def test_capitals_has_every_member_state():
    task = tasks.get_task("capitals")
    questions = load_questions(task, task.SOURCES["table"])
    assert len(questions) == 193
    assert len({q.question_id for q in questions}) == 193
    for question in questions:
        for reference in question.references:
            assert task.grade(task.extract(reference), question) == 1, question


def test_samples_are_nested_seeded_and_in_order():
    questions = [Question(f"q{i}", f"q{i}", "?", ("1",)) for i in range(200)]
    small, large = sample_questions(questions, 20, 1), sample_questions(questions, 90, 1)
    assert set(small) < set(large)
    assert small == sorted(small, key=questions.index)
    assert small != sample_questions(questions, 20, 2)
    assert sample_questions(questions, None, 1) == sample_questions(questions, 500, 1) == questions


def test_arithmetic_in_right_demonstrations():
    for each in task_prompts("gsm8k").demonstrations:
        for left, result in re.findall(r"(\d+(?: [-+*/] \d+)+) = \$?(\d+)", each.right.text):
            assert eval(left) == int(result), each.question  # digits and operators only


@pytest.mark.parametrize("shots", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_right_answers_are_spread_evenly_over_positions(shots, k):
    positions = right_positions(shots, k)
    counts = Counter(positions)
    assert len(positions) == shots
    assert set(positions) <= set(range(k))
    assert max(counts.values()) - min(counts.get(p, 0) for p in range(k)) <= 1


@pytest.mark.parametrize("kind", ["label", "reasoned_label"])
def test_endings_are_read_strictly(kind):
    reply = getattr(replies(), kind)
    response = reply.response.format(reasons="Solution 1 is wrong.", label="2")
    assert parse_choice(response, ["1", "2", "3"], reply.ending).parsed == "2"


def test_prompt_renders_as_text_and_as_messages():
    prompt = Prompt("Do it.", (("Q: 1", "A"), ("Q: 2", "B")), "Q: 3")
    assert prompt.text() == "Do it.\n\nQ: 1 A\n\nQ: 2 B\n\nQ: 3"
    assert [m["role"] for m in prompt.messages()] == ["user", "assistant"] * 2 + ["user"]
    assert prompt.messages()[0]["content"] == "Do it.\n\nQ: 1"
    assert Prompt("Do it.", (), "Q: 3").messages() == [{"role": "user", "content": "Do it.\n\nQ: 3"}]


def test_hostile_text_is_not_a_template():
    template = task_prompts("gsm8k").generate
    assert "{evil} {0}" in template.query.format(question="{evil} {0}")


@pytest.mark.parametrize("name", tasks.NAMES)
def test_the_first_grading_is_the_one_that_prompts_and_distractors_use(name):
    task = tasks.get_task(name)
    assert not task.GRADINGS or next(iter(task.GRADINGS.values()))[0] == task.extract
    assert "given" not in task.GRADINGS


def test_forms_of_given_answers():
    assert [gsm8k.form(text) for text in ("3.00", "$1,200", "12 eggs", "")] == ["3", "1200", "12 eggs", ""]
    assert [aliases.form(text) for text in ("The Beatles!", "?!")] == ["beatles", "?!"]


def read_text(output, shown, ending="###\n{text}", finished=True):
    labelled = [f"{label}. {text}" for label, text in enumerate(shown, start=1)]
    chosen = parse_text(output, shown, labelled, ending, gsm8k.extract, finished)
    return chosen.slots, chosen.how


@pytest.mark.parametrize(
    ("output", "slots", "how"),
    [
        ("Fine.\n###\nIt is 4.\n#### 4", (0,), "strict"),
        ("Fine.\n### It  is 4. #### 4", (0,), "strict"),
        ("Fine.\n###\nSo it must be 4", (0, 2), "loose"),
        ("Fine.\n###\n# Plan\n### Step 1\n9", (1,), "strict"),  # the marker inside a candidate
        ("2. # Plan\n### Step 1\n9", (1,), "strict"),  # with its label, without the marker
        ("So it is 4", (), "none"),  # no marker: strictly only
        ("Fine.\n###\n5", (), "none"),
        ("", (), "none"),
    ],
)
def test_parse_text(output, slots, how):
    shown = ["It is 4.\n#### 4", "# Plan\n### Step 1\n9", "#### 4"]
    assert read_text(output, shown) == (slots, how)
    if how == "loose":
        assert read_text(output, shown, finished=False) == ((), "cut")


@pytest.mark.parametrize("case", cases("scores"), ids=lambda c: repr(c["output"])[:40])
def test_parse_score(case):
    assert parse_score(case["output"]) == case["score"]


def test_a_score_out_of_ten_counts_in_an_output_that_was_cut():
    assert parse_score("8/10 because it", finished=False) == 8
    assert parse_score("The 3 reasons", finished=False) is None


def test_zero_is_simplified_too():
    assert gsm8k.simplify("0", Question("q", "q", "?", ("5",)), [], Random(1)) == "100"
