"""Choices: the answers of a discriminating model, read, as rows of choices.parquet."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from selfincorrect.digest import canonical_json, seed_of
from selfincorrect.discriminate.parse import Chosen
from selfincorrect.discriminate.requests import Asked, selector_of
from selfincorrect.discriminate.selectors.registry import rule
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.conversations import Pool

SCHEMA: dict[str, Any] = {
    "question_id": pl.String,
    "asked": pl.String,  # the conversation whose turns share this choice; null where the question was asked alone
    "k": pl.Int32,
    "variant": pl.String,
    "selector": pl.String,  # choose, score: a model chose; else the rule of `selectors` that did
    "order": pl.List(pl.Int32),  # the samples in the order shown
    "output": pl.String,  # null where there is none: `how` says why; a JSON list where candidates were scored
    "parsed": pl.String,
    "how": pl.String,  # strict, loose, or why there is no choice: none, conflict, range, cut, thought, context, refused, filtered, error; a rule's name
    "chosen_sample": pl.Int32,
    "shared": pl.List(pl.Int32),  # the samples that tie, where the choice cannot tell them apart
    "valid": pl.Boolean,
    "finish_reason": pl.String,
    "tokens_in": pl.Int32,
    "tokens_out": pl.Int32,
    "logprob": pl.Float64,
    "prompt": pl.String,  # a JSON list where candidates were scored
    "temperature": pl.Float64,  # that the output was decoded at: 0 is greedy; null for rules
}


def choice_rows(
    name: str, view: View, asked: Sequence[Asked], responses: Sequence[Response], temperature: float = 0.0
) -> list[dict[str, Any]]:
    """Responses to the requests of `asked`, in order, as rows of SCHEMA for the variant called `name`, decoded at `temperature`."""
    waiting, selector, rows = iter(responses), selector_of(view), []
    for each in asked:
        answers = [next(waiting) for _ in each.requests]
        read, alone = selector.read(view, each.shown, answers), selector.alone
        outputs, prompts = [a.text for a in answers], [a.prompt for a in answers]
        rows.append(
            {
                **choice_row(each.question.question_id, view.k, name, each.order, read, view.settings["seed"]),
                "selector": view.variant["selector"],
                "output": canonical_json(outputs) if alone else outputs[0],
                "finish_reason": None if alone else answers[0].finish_reason,
                "tokens_in": _sum([a.tokens_in for a in answers]),
                "tokens_out": _sum([a.tokens_out for a in answers]),
                "logprob": None if alone else answers[0].logprob,
                "prompt": canonical_json(prompts) if alone else prompts[0],
                "temperature": temperature,
            }
        )
    return rows


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def choice_row(
    question_id: str, k: int, variant: str, order: Sequence[int], chosen: Chosen, seed: int
) -> dict[str, Any]:
    """One choice as a row of SCHEMA, without what is known of the model's answer. A tie is drawn by seed, and recorded."""
    ties = sorted(order[slot] for slot in chosen.slots)  # whatever the order shown
    return {
        "question_id": question_id,
        "k": k,
        "variant": variant,
        "selector": "choose",
        "order": list(order),
        "parsed": chosen.parsed,
        "how": chosen.how,
        "chosen_sample": ties[seed_of("tie", seed, question_id, k) % len(ties)] if ties else None,
        "shared": ties if len(ties) > 1 else None,
        "valid": bool(ties),
    }


def selected_rows(
    variant: str, selector: str, pool: Pool, questions: Sequence[str], k: int, seed: int
) -> list[dict[str, Any]]:
    """Choices of the rule `selector` among the first k candidates of each question, as rows of SCHEMA.

    A tie is shared in scores where the rule says so; `chosen_sample` is a seeded draw from it.
    """
    rows, chooses = [], rule(selector)
    for question in questions:
        ties = chooses.ties(pool[question][:k])
        chosen = ties[seed_of("select", seed, selector, question, k) % len(ties)]
        rows.append(
            {
                "question_id": question, "k": k, "variant": variant, "selector": selector, "order": list(range(k)),
                "how": selector, "chosen_sample": chosen, "valid": True,
                "shared": ties if len(ties) > 1 and chooses.shared else None,
            }
        )  # fmt: skip
    return rows
