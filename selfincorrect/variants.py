"""Discrimination: show a model k of its own candidates, in one of many ways, and ask which is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from string import ascii_uppercase
from typing import Any

import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.engines import Decoding, Request, Response
from selfincorrect.parse import Parsed, parse_choice
from selfincorrect.prompts import (
    Demonstration,
    DemonstrationAnswer,
    DiscriminateTemplate,
    Prompt,
    TaskPrompts,
)
from selfincorrect.tasks.base import Question, Task

SCHEMA = {
    "question_id": pl.String,
    "k": pl.Int32,
    "variant": pl.String,
    "selector": pl.String,  # choose: a model chose; else the rule of `selectors` that did
    "order": pl.List(pl.Int32),  # the samples in the order shown
    "output": pl.String,  # null where the prompt did not fit the model's context
    "parsed": pl.String,
    "how": pl.String,  # strict, loose, or why there is no label: none, conflict, range, cut, context; a rule's name
    "chosen_sample": pl.Int32,
    "shared": pl.List(pl.Int32),  # the samples that tie, where a rule cannot tell them apart
    "valid": pl.Boolean,
    "finish_reason": pl.String,
    "tokens_in": pl.Int32,
    "tokens_out": pl.Int32,
    "logprob": pl.Float64,
    "prompt": pl.String,
}


@dataclass(frozen=True)
class Candidate:
    """One answer of a pool, graded where the variant needs it."""

    text: str | None
    extracted: str | None = None
    grade: float | None = None


NO_ANSWER = "(no answer)"

Pool = Mapping[str, Sequence[Candidate]]  # question_id -> candidates by sample


def labels_of(variant: Mapping[str, Any], k: int) -> list[str]:
    """The k labels: 1, 2, … or A, B, …"""
    return list(ascii_uppercase[:k]) if variant["labels"] == "letters" else [str(i + 1) for i in range(k)]


def _kind(labels: Sequence[str]) -> str:
    return "number" if labels[0].isdigit() else "letter"


def order_of(variant: Mapping[str, Any], question_id: str, k: int, seed: int) -> list[int]:
    """The samples in the order shown: as drawn, or permuted by seed and question."""
    order = list(range(k))
    if variant["order"] == "permuted":
        Random(seed_of("order", seed, question_id, k)).shuffle(order)
    return order


def right_positions(shots: int, k: int) -> list[int]:
    """Where the right answer stands in each demonstration: every position equally often, up to one.

    Upper and lower positions take turns (labels 3, 1, 4, 2, 3, … for k = 4): small models go on counting where the labels
    of the demonstrations ascend, and answer 3 after 1, 2.
    """
    upper, lower = range(k // 2, k), range(k // 2)
    turns = [place for pair in zip_longest(upper, lower) for place in pair if place is not None]
    return [turns[shot % k] for shot in range(shots)]


def discrimination_requests(
    questions: Sequence[Question],
    others: Sequence[Question],
    pool: Pool,
    task: Task,
    prompts: TaskPrompts,
    variant: Mapping[str, Any],
    k: int,
    settings: Mapping[str, Any],
) -> list[Request]:
    """A greedy request for each question that asks which of its first k candidates is best.

    `others` are all questions of the data, asked or not, so that easy distractors do not depend on which are asked;
    `settings` has `seed`, `shots` and `choice_tokens`.
    """
    way = prompts.way(variant)
    template, labels = prompts.discriminate[way], labels_of(variant, k)
    instruction = template.instruction.format(k=k, kind=_kind(labels), labels=f"{labels[0]} to {labels[-1]}")
    shots = _demonstrations(others, task, prompts, variant, way, k, settings)
    decoding = Decoding(settings["choice_tokens"], 0.0, 1.0, template.stop)
    requests = []
    for question in questions:
        order = order_of(variant, question.question_id, k, settings["seed"])
        shown = []
        for sample in order:
            # One stream per candidate: what replaces it does not depend on k, order or the other candidates.
            draw = Random(seed_of("easy", settings["seed"], question.question_id, sample))
            candidate = pool[question.question_id][sample]
            shown.append(_shown(candidate, question, others, task, variant, way, draw))
        query = _query(template, question.question, labels, shown)
        requests.append(Request(Prompt(instruction, shots, query), decoding, None))
    return requests


def _shown(
    candidate: Candidate,
    question: Question,
    others: Sequence[Question],
    task: Task,
    variant: Mapping[str, Any],
    way: str,
    draw: Random,
) -> str:
    """The text of one candidate as the variant shows it."""
    if variant["distractors"] == "easy" and candidate.grade == 0:
        text = task.simplify(candidate.extracted, question, others, draw)
    else:
        show = task.final if way == "final" else task.trim
        text = show(candidate.text or "")
    return text or NO_ANSWER


def _query(template: DiscriminateTemplate, question: str, labels: Sequence[str], shown: Sequence[str]) -> str:
    candidates = "\n".join(
        template.candidate.format(label=label, text=text) for label, text in zip(labels, shown, strict=True)
    )
    return template.query.format(question=question, candidates=candidates, Kind=_kind(labels).capitalize())


def _demonstrations(
    others: Sequence[Question],
    task: Task,
    prompts: TaskPrompts,
    variant: Mapping[str, Any],
    way: str,
    k: int,
    settings: Mapping[str, Any],
) -> tuple[tuple[str, str], ...]:
    """The solved examples: query and response, the right answer at `right_positions`."""
    template, labels = prompts.discriminate[way], labels_of(variant, k)
    shots = []
    positions = right_positions(settings["shots"], k)
    for index, position in enumerate(positions):
        demonstration = prompts.demonstrations[index]
        answers = _answers(demonstration, position, k)
        reference = task.extract(demonstration.right.text) or demonstration.right.text
        question = Question(f"demonstration-{index}", "", demonstration.question, (reference,))
        shown = []
        for place, answer in enumerate(answers):
            candidate = Candidate(answer.text, task.extract(answer.text), float(place == position))
            draw = Random(seed_of("easy", settings["seed"], question.question_id, place))
            shown.append(_shown(candidate, question, others, task, variant, way, draw))
        remarks = "\n".join(
            template.remark.format(label=label, remark=answer.remark)
            for label, answer in zip(labels, answers, strict=True)
        )
        working = demonstration.right.text.rsplit("\n", 1)[0]
        response = template.response.format(remarks=remarks, working=working, label=labels[position])
        shots.append((_query(template, demonstration.question, labels, shown), response))
    return tuple(shots)


def _answers(demonstration: Demonstration, position: int, k: int) -> list[DemonstrationAnswer]:
    """k answers with the right one at `position`; wrong ones repeat if there are too few, as in real pools."""
    wrong = demonstration.wrong
    answers = [wrong[place % len(wrong)] for place in range(k - 1)]
    answers.insert(position, demonstration.right)
    return answers


def choice_rows(
    name: str,
    variant: Mapping[str, Any],
    questions: Sequence[Question],
    responses: Sequence[Response],
    prompts: TaskPrompts,
    k: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Responses to `discrimination_requests`, parsed, as rows of SCHEMA."""
    labels, ending = labels_of(variant, k), prompts.discriminate[prompts.way(variant)].ending
    rows = []
    for question, response in zip(questions, responses, strict=True):
        order = order_of(variant, question.question_id, k, seed)
        parsed = (
            Parsed(None, "context")
            if response.text is None
            else parse_choice(response.text, labels, ending, response.finish_reason != "length")
        )
        rows.append(
            {
                **choice_row(question.question_id, k, name, order, labels, response.text, parsed),
                "finish_reason": response.finish_reason,
                "tokens_in": response.tokens_in,
                "tokens_out": response.tokens_out,
                "logprob": response.logprob,
                "prompt": response.prompt,
            }
        )
    return rows


def choice_row(
    question_id: str, k: int, variant: str, order: list[int], labels: Sequence[str], output: str | None, parsed: Parsed
) -> dict[str, Any]:
    """One choice as a row of SCHEMA, without what is known of the model's answer beside its text."""
    label = parsed.label
    return {
        "question_id": question_id,
        "k": k,
        "variant": variant,
        "selector": "choose",
        "order": order,
        "output": output,
        "parsed": label,
        "how": parsed.how,
        "chosen_sample": None if label is None else order[labels.index(label)],
        "valid": label is not None,
    }


def pool_of(candidates: pl.DataFrame, grades: pl.DataFrame | None) -> dict[str, list[Candidate]]:
    """The pool from its tables, candidates in order of sample; graded if `grades` is given."""
    table = candidates.select("question_id", "sample", "text")
    if grades is not None:
        table = table.join(
            grades.select("question_id", "sample", "extracted", "grade"),
            on=["question_id", "sample"],
            how="left",
            validate="1:1",
        )
    pool: dict[str, list[Candidate]] = {}
    for row in table.sort("question_id", "sample").iter_rows(named=True):
        candidate = Candidate(row["text"], row.get("extracted"), row.get("grade"))
        pool.setdefault(row["question_id"], []).append(candidate)
    return pool
