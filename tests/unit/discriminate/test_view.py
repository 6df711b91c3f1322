"""What a variant shows, in which order, and which sample a label stands for."""

import re
from itertools import permutations, product

import pytest

from selfincorrect.discriminate.choices import choice_rows
from selfincorrect.discriminate.requests import decoding_of, demonstrations_of, discriminations
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant
from tests.support.tasks import EACH_KIND

SETTINGS = AskingSettings(seed=5, shots=2, choice_tokens=64, answer_tokens=16)
NAMES = ["Alfa", "Bravo", "Charlie", "Delta"]
QUESTIONS = [Question(f"q{i}", f"q{i}", f"Question number {i}?", ("Delta",)) for i in range(40)]
POOL = {
    q.question_id: [Candidate(name, name.lower(), float(name == "Delta")) for name in NAMES]
    for q in QUESTIONS
}


def view(task="capitals", k=4, others=QUESTIONS, **changes):
    return View(get_task(task), task_prompts(task), Variant(**changes), k, others, SETTINGS)


def queries(shown, pool=POOL):
    return [each.requests[0].prompt.query for each in discriminations(QUESTIONS, pool, shown)]


def rows(shown, output, reason="stop", pool=POOL):
    asked = discriminations(QUESTIONS, pool, shown)
    said = Response(output, "", reason, 1, 1, None)
    return choice_rows("v", shown, pool, [(each, [said] * len(each.requests)) for each in asked])


@pytest.mark.parametrize("labels", ["digits", "letters"])
@pytest.mark.parametrize("order", ["drawn", "permuted"])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_label_stands_for_the_sample_shown_beside_it(order, labels, k):
    shown_as = view(order=order, labels=labels, k=k)
    for position in range(k):
        label = "ABCD"[position] if labels == "letters" else str(position + 1)
        for query, row in zip(queries(shown_as), rows(shown_as, label), strict=True):
            shown = re.findall(r"^(\w)\. (\w+)$", query, re.MULTILINE)
            assert dict(shown)[label] == NAMES[row["chosen_sample"]]
            assert row["order"][position] == row["chosen_sample"]
            assert sorted(row["order"]) == list(range(k))


def test_drawn_is_drawn_and_permuted_is_seeded_and_spread():
    assert {tuple(row["order"]) for row in rows(view(), "1")} == {(0, 1, 2, 3)}
    permuted = [tuple(row["order"]) for row in rows(view(order="permuted"), "1")]
    assert permuted == [tuple(row["order"]) for row in rows(view(order="permuted"), "2")]
    assert len(set(permuted)) > 15
    assert set(permuted) <= set(permutations(range(4)))


def test_letters_are_called_letters():
    prompt = discriminations(QUESTIONS, POOL, view(labels="letters"))[0].requests[0].prompt
    assert "letter of the best" in prompt.instruction
    assert prompt.query.endswith("Letter of the best answer:")
    assert {response for _, response in prompt.shots} <= set("ABCD")


def test_easy_distractors_do_not_depend_on_k():
    others = [Question(f"o{i}", f"o{i}", "?", (f"Place{i}",)) for i in range(50)]
    two, four = (queries(view(k=k, others=others, distractors="easy")) for k in (2, 4))
    for small, large in zip(two, four, strict=True):
        few, all_ = (re.findall(r"^\d\. (\w+)$", query, re.MULTILINE) for query in (small, large))
        assert few == all_[:2]
        assert all(name.startswith("Place") for name in all_[:3])
        assert all_[3] == "Delta"


def test_an_output_that_was_cut_has_no_loose_label():
    assert {row["how"] for row in rows(view(), "I would say 2, since", reason="length")} == {"cut"}
    assert {row["how"] for row in rows(view(), "I would say 2", reason="stop")} == {"loose"}
    assert {row["how"] for row in rows(view(), None, reason="context")} == {"context"}


def test_final_numbers_are_shown_for_easy_distractors_of_gsm8k():
    texts = ["3 + 4 = 7\n#### 7", "It is 9.", "no number", "#### 12"]
    pool = {
        q.question_id: [Candidate(t, get_task("gsm8k").extract(t), float("12" in t)) for t in texts]
        for q in QUESTIONS
    }
    for query in queries(view("gsm8k", distractors="easy"), pool):
        shown = re.findall(r"^Result \d: (.*)$", query, re.MULTILINE)
        assert shown[0] in ("700", "0.07")
        assert shown[1] in ("900", "0.09")
        assert shown[2:] == ["(no answer)", "12"]
    assert "Solution 1: 3 + 4 = 7\n#### 7\nSolution 2: It is 9." in queries(view("gsm8k"), pool)[0]


def prompt_of(task="capitals", pool=POOL, **changes):
    return discriminations(QUESTIONS, pool, view(task, **changes))[0].requests[0].prompt


def test_more_demonstrations_are_the_same_ones_and_others():
    one, three = prompt_of(), prompt_of(shots=3)
    assert len(one.shots) == 2
    assert len(three.shots) == 6
    assert three.shots[:2] == one.shots
    assert three.query == one.query


def test_a_rationale_remarks_on_every_answer_and_then_names_the_label():
    prompt = prompt_of(rationale=True)
    response = prompt.shots[0][1]
    assert re.findall(r"^Answer (\d) ", response, re.MULTILINE) == ["1", "2", "3", "4"]
    assert response.endswith("\n### 3")
    assert "### <number>" in prompt.instruction
    assert {row["chosen_sample"] for row in rows(view(rationale=True), response)} == {2}


def test_a_rationale_can_be_left_out_where_it_is_the_default():
    shots = prompt_of("gsm8k", rationale=False).shots
    assert [response for _, response in shots] == ["3", "1"]


def test_wordings_differ_in_the_instruction_alone():
    prompts = [prompt_of(wording=wording) for wording in (1, 2, 3)]
    assert len({prompt.instruction for prompt in prompts}) == 3
    assert len({(prompt.shots, prompt.query) for prompt in prompts}) == 1


def test_the_text_of_a_candidate_as_answer():
    shown = view(answer="text")
    assert prompt_of(answer="text").shots[0][1] == task_prompts("capitals").demonstrations[0].right.text
    assert {(r["chosen_sample"], r["how"], r["valid"]) for r in rows(shown, "Charlie")} == {
        (2, "strict", True)
    }
    assert {(r["chosen_sample"], r["how"]) for r in rows(shown, "the charlie!")} == {(2, "loose")}
    assert {(r["chosen_sample"], r["how"]) for r in rows(shown, "Echo")} == {(None, "none")}


def test_texts_that_cannot_be_told_apart_share_the_choice():
    same = {
        q.question_id: [Candidate("Alfa"), Candidate("alfa"), Candidate("Bravo"), Candidate("Alfa")]
        for q in QUESTIONS
    }
    exact, loose = rows(view(answer="text"), "Alfa", pool=same), rows(view(answer="text"), "ALFA", pool=same)
    assert {tuple(row["shared"]) for row in exact} == {(0, 3)}
    assert {tuple(row["shared"]) for row in loose} == {(0, 1, 3)}
    assert {row["chosen_sample"] for row in exact} == {0, 3}, "ties are drawn by seed"


def test_scoring_shows_one_candidate_at_a_time_and_shares_ties():
    shown = view(selector="score", k=3)
    asked = discriminations(QUESTIONS[:1], POOL, shown)
    assert [r.prompt.query for r in asked[0].requests] == [
        f"Question: Question number 0?\nAnswer: {name}\nScore:" for name in NAMES[:3]
    ]
    assert [response for _, response in asked[0].requests[0].prompt.shots] == ["10", "2"]

    def scored(*outputs):
        responses = [Response(text, "p", "stop", 1, 1, None) for text in outputs]
        [row] = choice_rows("v", shown, POOL, [(asked[0], responses)])
        return row["parsed"], row["shared"], row["chosen_sample"], row["how"], row["valid"]

    assert scored("3", "9", "4") == ("3 9 4", None, 1, "strict", True)
    assert scored("8/10", "8", "4")[:2] == ("8 8 4", [0, 1])
    assert scored("good", "2", "11") == ("– 2 –", None, 1, "loose", True)
    assert scored("good", "bad", "ugly") == ("– – –", None, None, "none", False)


def test_options_compose():
    """Every combination of options that a configuration allows gives prompts and reads its own
    demonstrations.
    """
    for rationale, answer, wording, shots, distractors in product(
        (True, False), ("label", "text"), (1, 3), (1, 2), ("own", "easy")
    ):
        shown = view("gsm8k", rationale=rationale, answer=answer, wording=wording, shots=shots,
        distractors=distractors,
                     others=QUESTIONS)  # fmt: skip
        texts = ["3 + 4 = 7\n#### 7", "It is 9.", "no number", "#### 12"]
        graded = [Candidate(t, get_task("gsm8k").extract(t), float("12" in t)) for t in texts]
        pool = {q.question_id: graded for q in QUESTIONS}
        asked = discriminations(QUESTIONS, pool, shown)[0]
        place = asked.shown[0].texts[3]
        label = asking(shown.variant).reply(shown).response.format(reasons="Because.", label="4", text=place)
        assert {row["chosen_sample"] for row in rows(shown, label, pool=pool)} == {3}


@pytest.mark.parametrize("task", [name for name in EACH_KIND if task_prompts(name).demonstrations])
def test_no_demonstration_holds_the_stop_string_of_its_own_output(task):
    """Else every output that follows the demonstrations is cut, and invalid."""
    for rationale, answer, distractors, selector in product(
        (True, False), ("label", "text"), ("own", "easy"), ("choose", "score")
    ):
        changes = {"rationale": rationale, "answer": answer, "distractors": distractors, "selector": selector}
        if selector == "score":
            changes = {"selector": selector, "distractors": distractors}
        texts = ("elsewhere", "7919")  # of which one is an answer of the task's kind
        others = [Question(text, text, "Turn 1: Other?\nTurn 2: And?", (text,)) for text in texts]
        if "table" in get_task(task).SOURCES:
            others = load_questions(get_task(task), get_task(task).SOURCES["table"])
        shown = view(task, others=others, shots=3, **changes)
        for _, response in demonstrations_of(shown):
            assert not any(stop in response for stop in decoding_of(shown).stop), response


def test_remarks_on_easy_distractors_speak_of_what_is_shown():
    others = [Question("o", "o", "Other?", ("Elsewhere",))]
    [(query, response), _] = demonstrations_of(view(rationale=True, distractors="easy", others=others))
    assert query.count("Elsewhere") == 3
    lines = response.splitlines()
    assert [line.endswith("does not answer what was asked.") for line in lines[:4]] == [
        True,
        True,
        False,
        True,
    ]


def test_ties_are_drawn_alike_in_every_order():
    same = {
        q.question_id: [Candidate("Alfa"), Candidate("Bravo"), Candidate("Alfa"), Candidate("Delta")]
        for q in QUESTIONS
    }
    drawn, permuted = (
        rows(view(answer="text", order=order), "Alfa", pool=same) for order in ("drawn", "permuted")
    )
    assert [row["chosen_sample"] for row in drawn] == [row["chosen_sample"] for row in permuted]


def test_a_conversation_as_answer_has_room_for_all_its_turns():
    shown = view("mt_bench", answer="text", others=[])
    assert decoding_of(shown).max_tokens == 8 + 2 * SETTINGS.answer_tokens
