"""Choices: the answers of a discriminating model, read, as rows of choices.parquet."""

from collections.abc import Sequence
from typing import Any, cast

import polars as pl

from selfincorrect.digest import canonical_json, seed_of
from selfincorrect.discriminate.parse import Chosen, How, parse_choice, parse_score, parse_text
from selfincorrect.discriminate.view import Asked, View
from selfincorrect.engines import thoughts
from selfincorrect.engines.requests import ERROR, Response

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
    waiting, rows = iter(responses), []
    for each in asked:
        answers = [next(waiting) for _ in each.requests]
        read = _read_scores(answers) if view.scores else _read(each, answers[0], view)
        outputs, prompts = [a.text for a in answers], [a.prompt for a in answers]
        rows.append(
            {
                **choice_row(each.question.question_id, view.k, name, each.order, read, view.settings["seed"]),
                "selector": view.variant["selector"],
                "output": canonical_json(outputs) if view.scores else outputs[0],
                "finish_reason": answers[0].finish_reason if not view.scores else None,
                "tokens_in": _sum([a.tokens_in for a in answers]),
                "tokens_out": _sum([a.tokens_out for a in answers]),
                "logprob": None if view.scores else answers[0].logprob,
                "prompt": canonical_json(prompts) if view.scores else prompts[0],
                "temperature": temperature,
            }
        )
    return rows


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _read(asked: Asked, response: Response, view: View) -> Chosen:
    """The choice that one output makes among the candidates shown."""
    if response.text is None:
        return _missing(response)
    if response.reasoning and not response.text.strip():
        return Chosen((), None, "thought")
    finished, ending = response.finish_reason != "length", view.reply.ending
    if view.variant["answer"] == "text":
        return parse_text(response.text, asked.shown, view.labelled(asked.shown), ending, view.task.extract, finished)
    return parse_choice(response.text, view.labels, ending, finished, asked.shown)


def _missing(response: Response) -> Chosen:
    """No choice, for the reason that a response without an answer gives."""
    return Chosen((), None, cast(How, response.finish_reason))


def _read_scores(responses: Sequence[Response]) -> Chosen:
    """The candidates with the highest score; one without a readable score is never among them."""
    missing = [response for response in responses if response.text is None]
    if missing:
        return _missing(max(missing, key=lambda response: response.finish_reason == ERROR))
    scores = [parse_score(response.text or "", response.finish_reason != "length") for response in responses]
    shown = " ".join("–" if score is None else str(score) for score in scores)
    known = [score for score in scores if score is not None]
    if not known:
        unfinished = all(
            thoughts.unfinished(each.text or "") or (each.reasoning and not (each.text or "").strip())
            for each in responses
        )
        return Chosen((), shown, "thought" if unfinished else "none")
    best = tuple(slot for slot, score in enumerate(scores) if score == max(known))
    return Chosen(best, shown, "strict" if len(known) == len(scores) else "loose")


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
