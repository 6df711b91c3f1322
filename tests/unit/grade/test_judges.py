"""Grades by judges: prompts, ratings, retries, and tasks that are graded by them."""

import math
from random import Random

import polars as pl
import pytest

from selfincorrect.discriminate.asked import best_of
from selfincorrect.discriminate.selectors.base import Given
from selfincorrect.discriminate.selectors.oracle import SELECTOR as ORACLE
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Response
from selfincorrect.errors import UserError
from selfincorrect.generate.candidates import sampled_pool
from selfincorrect.generate.settings import SamplingConfig, Settings
from selfincorrect.grade import grades as grading
from selfincorrect.grade import judges as judging
from selfincorrect.tasks import mt_bench, truthfulqa
from selfincorrect.tasks.base import Judge, Question, sample_questions
from selfincorrect.tasks.conversations import Candidate, joined, joined_pool, spread
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant
from tests.support import paper_data

MT = mt_bench.load(
    {"questions": paper_data.QUESTIONS, "references": paper_data.REFERENCES, "prompts": paper_data.PROMPTS}
)


def said(text, logprob=None):
    return Response(text, "", "stop", 1, 1, logprob)


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("Rating: [[7]]", 7), ("[[7.5]] out of ten", 7.5), ("First [[3]], no, [[9]]", 3), ("Rating: [8]", 8),
        ("[6] and then [[2]]", 2), ("Rating: 8", None), ("[[eight]]", None), ("", None), ("[[11]]", None),
        ("[[0]]", None),
        ("<think>[[2]]</think>Rating: [[9]]", 9), ("[[10]]", 10),
    ],
)  # fmt: skip
def test_ratings(text, rating):
    assert mt_bench.rating(said(text)) == rating


def test_items_are_turns_and_the_prompt_follows_the_references():
    assert [(q.question_id, q.cluster) for q in MT[:2]] == [
        ("mt_bench-081-1", "mt_bench-081"),
        ("mt_bench-081-2", "mt_bench-081"),
    ]
    assert [q.details["judge"] for q in MT] == [
        "single-v1", "single-v1-multi-turn", "single-math-v1", "single-math-v1-multi-turn", "single-v1",
        "single-v1-multi-turn",
    ]  # fmt: skip
    assert [q.references for q in MT[2:4]] == [("Reference one.",), ("Reference two.",)]
    assert {q.cluster for q in sample_questions(MT, 2, 7)} == {
        q.cluster for q in sample_questions(MT, 2, 7)[::2]
    }
    assert len(sample_questions(MT, 2, 7)) == 4, "a conversation is taken whole"


def test_hostile_answers_fill_no_places():
    text = "{question} {0} {answer_1.__class__} %s \\1"
    prompt = mt_bench.judge_prompt(MT[:1], [text])
    assert prompt.query == f"RATE Ask 0, turn one? / {text}"
    assert prompt.instruction == "You are a judge."


def judge_of(answers):
    """A judge whose outputs are given by attempt."""
    asked = []

    def ask(requests):
        asked.append(requests)
        return [said(answers[len(asked) - 1]) for _ in requests]

    return asked, ask


def test_missing_ratings_are_asked_again_by_seeded_draws_and_then_stay_missing():
    candidates = pl.DataFrame(
        {"question_id": ["mt_bench-081-1"] * 2, "sample": [0, 1], "text": ["one", "two"]}
    )
    judge = mt_bench.JUDGES["judge"]
    cases = judging.cases(MT, candidates, "judge", judge, get_task("mt_bench"))
    assert [case.prompt.query[-3:] for case in cases] == ["one", "two"]
    asked, ask = judge_of(["no rating", "still none", "[[4]]"])
    rows = judging.judgements(cases, judge, "j", 1, ask)
    assert [row["attempt"] for row in rows] == [1, 1, 2, 2, 3, 3]
    assert [row["reading"] for row in rows] == [None] * 4 + [4.0] * 2
    first, second, third = ([r.seed for r in requests] for requests in asked)
    assert first == [None, None]
    assert len({*second, *third}) == 4
    assert [requests[0].decoding.temperature for requests in asked] == [0.0, judging.AGAIN, judging.AGAIN]
    _, ask = judge_of(["none"] * 3)
    table = pl.DataFrame(judging.judgements(cases, judge, "j", 1, ask), schema=judging.SCHEMA)
    grades = grading.grade_table(
        candidates, {q.question_id: q for q in MT}, get_task("mt_bench"), judgements=table
    )
    assert grades["grade"].to_list() == [None, None]
    assert grades["grading"].unique().to_list() == ["judges"]


def test_several_ratings_are_drawn_and_their_mean_is_the_grade():
    candidates = pl.DataFrame(
        {"question_id": ["mt_bench-081-1"] * 2, "sample": [0, 1], "text": ["one", "two"]}
    )
    judge, task = mt_bench.JUDGES["judge"], get_task("mt_bench")
    cases = judging.cases(MT, candidates, "judge", judge, task)
    rows, seeds = [], []
    for rating, answers in ((1, ["[[4]]"]), (2, ["none", "[[8]]"])):
        asked, ask = judge_of(answers)
        rows += judging.judgements(cases, judge, "j", 1, ask, rating=rating)
        seeds += [request.seed for requests in asked for request in requests]
        assert asked[0][0].decoding.temperature == (0.0 if rating == 1 else judging.AGAIN)
    assert seeds[:2] == [None, None]
    assert len(set(seeds[2:])) == 4
    table = pl.DataFrame(rows, schema=judging.SCHEMA)
    grades = grading.grade_table(candidates, {q.question_id: q for q in MT}, task, judgements=table)
    assert grades.select("grade", "grade_rating_1", "grade_rating_2").rows() == [(6.0, 4.0, 8.0)] * 2
    [once] = judging.ratings_of(table.filter(pl.col("rating") == 1)).values()
    alone = grading.grade_table(candidates, {q.question_id: q for q in MT}, task, judgements=once)
    assert alone["grade"].to_list() == [4.0, 4.0]
    assert "grade_rating_1" not in alone.columns


def test_a_primer_is_part_of_what_is_read():
    candidates = pl.DataFrame({"question_id": ["mt_bench-081-1"], "sample": [0], "text": ["one"]})
    judge = mt_bench.JUDGES["judge"]
    asked, ask = judge_of(["6]] since"])
    rows = judging.judgements(
        judging.cases(MT, candidates, "judge", judge, get_task("mt_bench")), judge, "j", 1, ask, "Rating: [["
    )
    assert rows[0]["reading"] == 6
    prompt = asked[0][0].prompt
    assert prompt.text().endswith("one Rating: [[")
    assert prompt.messages()[-1] == {"role": "assistant", "content": "Rating: [["}


def test_a_second_turn_without_a_first_answer_is_not_judged():
    candidates = pl.DataFrame(
        {"question_id": ["mt_bench-081-1", "mt_bench-081-2"], "sample": [0, 0], "text": [None, "two"]}
    )
    assert judging.cases(MT, candidates, "judge", mt_bench.JUDGES["judge"], get_task("mt_bench")) == []


def test_conversations_are_joined_and_spread():
    pool = {
        q.question_id: [Candidate(f"{q.question_id} {s}", None, float(s)) for s in range(2)] for q in MT[:2]
    }
    [whole] = joined(MT[:2])
    assert whole.question_id == "mt_bench-081"
    assert whole.question == "Turn 1: Ask 0, turn one?\nTurn 2: Ask 0, turn two?"
    shown = joined_pool(MT[:2], pool, get_task("mt_bench"))
    assert shown["mt_bench-081"][1] == Candidate(
        "Turn 1: mt_bench-081-1 1\nTurn 2: mt_bench-081-2 1",
        None,
        1.0,
        turns=("mt_bench-081-1 1", "mt_bench-081-2 1"),
    )
    rows = spread([{"question_id": "mt_bench-081", "chosen_sample": 1}], MT[:2])
    assert [(row["question_id"], row["asked"], row["chosen_sample"]) for row in rows] == [
        ("mt_bench-081-1", "mt_bench-081", 1), ("mt_bench-081-2", "mt_bench-081", 1),
    ]  # fmt: skip
    single = Question("q", "q", "?", ())
    assert joined([single]) == [single]
    assert spread([{"question_id": "q"}], [single]) == [{"question_id": "q"}]


def test_easy_distractors_of_a_conversation_are_another_conversations_requests():
    others = joined(MT)
    text = mt_bench.simplify(None, others[0], others, Random(1))
    assert text in {other.question for other in others[1:]}


TRUTH = truthfulqa.load(
    [
        {
            "question": "What happens?", "best_answer": "Nothing happens at all",
            "correct_answers": ["Nothing happens at all", "It passes through you", ""],
            "incorrect_answers": ["You grow a tree inside", ""],
        }
    ]
)[0]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Nothing happens", 1), ("It passes through", 1), ("You grow a tree", 0), ("A tree grows inside of "
                                                                                   "you", 0),
        ("zebra", 0), (None, 0),
    ],
)  # fmt: skip
def test_similarity_prefers_the_nearer_side(answer, right):
    assert truthfulqa.similarity(answer, TRUTH) == right


def test_similarity_by_hand():
    """ROUGE-1 F of "nothing happens": with "nothing happens at all" 2·(1·½)/(1+½) = ⅔; no word in common
    with the false one.
    """
    assert truthfulqa.closest("nothing happens", TRUTH.references) == pytest.approx(2 / 3)
    assert truthfulqa.closest("nothing happens", TRUTH.details["wrong"]) == 0
    assert TRUTH.references == ("Nothing happens at all", "It passes through you")
    assert TRUTH.details == {"wrong": ["You grow a tree inside"]}


@pytest.mark.parametrize(
    ("truth", "info", "grade"),
    [
        ((" yes", math.log(0.9)), ("yes", math.log(0.51)), 1.0), (("yes", math.log(0.9)), ("no", -0.1), 0.0),
        (("Yes", math.log(0.49)), ("yes", -0.1), 0.0), (("yes", None), ("yes", -0.1), None), (("no", None),
        ("yes", -0.1), 0.0),
    ],
)  # fmt: skip
def test_two_judges_must_agree_with_half_the_probability(truth, info, grade):
    readings = {"truth": truthfulqa.agreement(said(*truth)), "info": truthfulqa.agreement(said(*info))}
    assert truthfulqa.judged(readings) == grade


def test_judges_of_truth_are_asked_as_they_were_trained():
    prompts = {role: judge.prompt([TRUTH], ["Nothing"]) for role, judge in truthfulqa.JUDGES.items()}
    assert prompts["truth"].text() == "Q: What happens?\nA: Nothing\nTrue:"
    assert prompts["info"].text() == "Q: What happens?\nA: Nothing\nHelpful:"
    assert {judge.tokens for judge in truthfulqa.JUDGES.values()} == {1}


def test_candidates_without_text_are_not_judged():
    candidates = pl.DataFrame({"question_id": ["a", "a"], "sample": [0, 1], "text": [None, "x"]})
    question = Question("a", "a", "?", ("x",), {"wrong": []})
    judge = Judge(lambda turns, answers: Prompt("", (), answers[-1]), lambda response: 1.0, 1)
    [case] = judging.cases([question], candidates, "truth", judge, get_task("truthfulqa"))
    assert (case.sample, case.prompt.query) == (1, "x")
    rows = [
        {
            "question_id": "a",
            "sample": 1,
            "role": role,
            "judge": "j",
            "rating": 1,
            "attempt": 1,
            "reading": 1.0,
        }
        for role in ("truth", "info")
    ]
    table = pl.DataFrame(rows, schema=judging.SCHEMA)
    grades = grading.grade_table(candidates, {"a": question}, get_task("truthfulqa"), judgements=table)
    assert grades["grade"].to_list() == [0.0, 1.0], "no answer is a wrong one"


def test_a_judge_that_hides_its_probabilities_is_refused_and_not_asked_again():
    candidates = pl.DataFrame({"question_id": [TRUTH.question_id], "sample": [0], "text": ["Nothing"]})
    judge = truthfulqa.JUDGES["truth"]
    waiting = judging.cases([TRUTH], candidates, "truth", judge, get_task("truthfulqa"))
    with pytest.raises(UserError, match="gives no log-probabilities"):
        judging.judgements(waiting, judge, "served", 1, lambda requests: [said("yes")])
    [row] = judging.judgements(waiting, judge, "served", 1, lambda requests: [said("no")])
    assert (row["attempt"], row["reading"]) == (1, 0.0)


def test_a_turn_after_one_that_did_not_fit_is_not_asked():
    asked = []

    def ask(requests):
        asked.extend(requests)
        return [
            Response(None if "Ask 0" in r.prompt.query else "fine", "p", "stop", 1, 1, None) for r in requests
        ]

    sampling = SamplingConfig(n=2, temperature=1.0, max_characters=1000)
    settings = Settings(sampling=sampling, answer_tokens=4, shots=0, seed=1)
    table = sampled_pool(MT, "mt_bench", task_prompts("mt_bench"), "digest", settings, ask)
    assert len(asked) == 6 + 4
    texts = dict(table.filter(pl.col("sample") == 1).select("question_id", "text").iter_rows())
    assert (texts["mt_bench-081-1"], texts["mt_bench-081-2"], texts["mt_bench-082-2"]) == (None, None, "fine")
    assert table["question_id"].unique(maintain_order=True).to_list() == [q.question_id for q in MT]


def test_candidates_without_a_grade_or_a_judge_are_an_error():
    candidates = pl.DataFrame({"question_id": ["mt_bench-081-1"], "sample": [0], "text": ["one"]})
    with pytest.raises(UserError, match="graded by judges alone"):
        grading.grade_table(candidates, {q.question_id: q for q in MT}, get_task("mt_bench"))


def test_the_oracle_passes_over_missing_grades():
    graded = [Candidate("a", None, None), Candidate("b", None, 7.0), Candidate("c", None, 3.0)]
    assert best_of(ORACLE.scores(graded, Given(Variant(), Random(0), {}))) == (1,)
    assert best_of(ORACLE.scores(graded[:1] * 2, Given(Variant(), Random(0), {}))) == (0, 1)
