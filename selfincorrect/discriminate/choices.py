"""Choices: the answers of a discriminating model as they are read, as rows of choices.parquet."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.digest import canonical_json, seed_of
from selfincorrect.discriminate.asked import Asked, Preference, best_of
from selfincorrect.discriminate.requests import selector_of
from selfincorrect.discriminate.selectors.registry import rule
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Response
from selfincorrect.tasks.conversations import Pool
from selfincorrect.tasks.variant import Variant

_HOW = (
    "`strict`: the instructed ending; `loose`: the last label that stands alone; why there is no label: "
    "`none`, `conflict`, `range`, `cut` (at the token limit, before any ending), `thought` (it never ends), "
    "`context`, `refused`, `filtered`, `error`; or the rule's name"
)
_ASKED = "the conversation, where its turns share a choice; empty where the question was asked alone"
_CHOSEN = "the candidate chosen, of several that tie a seeded draw; empty if invalid"
_TEMPERATURE = "temperature that the output was decoded at: 0 is greedy; empty for rules"
_OUTPUT = "what the model said, a JSON list where candidates were scored; empty where there is none"
COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("asked", pl.String, _ASKED),
    Column("k", pl.Int32, "number of candidates shown"),
    Column("variant", pl.String, "variant"),
    Column("selector", pl.String, "`choose`, `score`: a model chose; else the rule that did"),
    Column("order", pl.List(pl.Int32), "the samples in the order shown"),
    Column("output", pl.String, _OUTPUT),
    Column("scores", pl.List(pl.Float64), "the preference, by sample; the highest is chosen"),
    Column("probabilities", pl.Boolean, "whether `scores` are probabilities that a candidate is right"),
    Column("parsed", pl.String, "the label read"),
    Column("how", pl.String, _HOW),
    Column("chosen_sample", pl.Int32, _CHOSEN),
    Column("shared", pl.List(pl.Int32), "the samples that tie, where the choice cannot tell them apart"),
    Column("valid", pl.Boolean, "whether there is a usable label"),
    Column("finish_reason", pl.String, "how the output ended, as of candidates"),
    Column("tokens_in", pl.Int32, "tokens of the prompt"),
    Column("tokens_out", pl.Int32, "tokens of the output"),
    Column("logprob", pl.Float64, "as of candidates"),
    Column("prompt", pl.String, "the prompt as sent, a JSON list where candidates were scored"),
    Column("temperature", pl.Float64, _TEMPERATURE),
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)


def choice_rows(
    name: str, view: View, asked: Sequence[Asked], responses: Sequence[Response], temperature: float = 0.0
) -> list[dict[str, Any]]:
    """Responses to the requests of `asked`, in order, as rows of SCHEMA.

    They are for the variant called `name`, and were decoded at `temperature`.
    """
    waiting, selector, rows = iter(responses), selector_of(view), []
    for each in asked:
        answers = [next(waiting) for _ in each.requests]
        outputs, prompts, alone = [a.text for a in answers], [a.prompt for a in answers], selector.alone
        preference, order = selector.read(view, each, answers), each.shown[0].order
        rows.append(
            {
                **choice_row(each.question.question_id, view.k, name, order, preference, view.settings.seed),
                "selector": view.variant.selector,
                "probabilities": selector.probabilities,
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
    question_id: str, k: int, variant: str, order: Sequence[int], preference: Preference, seed: int
) -> dict[str, Any]:
    """One choice as a row of SCHEMA, without what is known of the model's answer.

    A tie is drawn by seed, and recorded.
    """
    ties = list(preference.best)
    return {
        "question_id": question_id,
        "k": k,
        "variant": variant,
        "selector": "choose",
        "order": list(order),
        "scores": list(preference.scores),
        "probabilities": False,
        "parsed": preference.parsed,
        "how": preference.how,
        "chosen_sample": ties[seed_of("tie", seed, question_id, k) % len(ties)] if ties else None,
        "shared": ties if len(ties) > 1 else None,
        "valid": bool(ties),
    }


def selected_rows(
    name: str, variant: Variant, pool: Pool, questions: Sequence[str], k: int, seed: int
) -> list[dict[str, Any]]:
    """Choices of the rule of `variant` among the first k candidates of each question, as rows of SCHEMA.

    A tie is shared in scores where the rule says so; `chosen_sample` is a seeded draw from it. A question
    whose candidates have no score has no choice.
    """
    selector = variant.selector
    rows, chooses = [], rule(selector)
    for question in questions:
        scores = chooses.scores(pool[question][:k], variant)
        ties = best_of(scores)
        chosen = ties[seed_of("select", seed, selector, question, k) % len(ties)] if ties else None
        rows.append(
            {
                "question_id": question,
                "k": k,
                "variant": name,
                "selector": selector,
                "order": list(range(k)),
                "scores": list(scores),
                "probabilities": chooses.probabilities,
                "how": selector if ties else "none",
                "chosen_sample": chosen,
                "valid": bool(ties),
                "shared": list(ties) if len(ties) > 1 and chooses.shared else None,
            }
        )
    return rows


def named(choices: pl.DataFrame) -> pl.DataFrame:
    """Rows of SCHEMA with `asked` in each; it is the question where no conversation shares the choice."""
    return choices.with_columns(pl.coalesce("asked", "question_id").alias("asked"))


def distinct(choices: pl.DataFrame) -> pl.DataFrame:
    """A row for each choice that was made, that of the first of the items that share it, with `asked`."""
    apart = [name for name in ("k", "variant", "asked") if name in choices.columns]
    return named(choices).unique(apart, keep="first", maintain_order=True)
