"""Choices: the answers of a discriminating model as they are read, as rows of choices.parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from os.path import commonprefix  # of any strings, character by character
from random import Random
from types import MappingProxyType
from typing import Any

import polars as pl

from selfincorrect.columns import WAY, Column, schema_of
from selfincorrect.digest import canonical_json, seed_of
from selfincorrect.discriminate.asked import Asked, Preference, best_of
from selfincorrect.discriminate.requests import drawing_of
from selfincorrect.discriminate.selectors.base import Given, Scores
from selfincorrect.discriminate.selectors.registry import asking, rule
from selfincorrect.discriminate.view import View
from selfincorrect.engines.requests import Request, Response
from selfincorrect.models.answers import ANSWERS, part
from selfincorrect.models.answers import rows as spent_rows
from selfincorrect.tasks.conversations import Candidate, Pool
from selfincorrect.tasks.variant import Variant

_HOW = (
    "`strict`: the instructed ending; `loose`: the last label that stands alone; why there is no label: "
    "`none`, `conflict`, `range`, `cut` (at the token limit, before any ending), `thought` (it never ends), "
    "`context`, `refused`, `filtered`, `error`; `scored`: by probabilities; `decided`: not asked, since all "
    "candidates have one normal form; or the rule's name"
)
_ASKED = "the conversation, where its turns share a choice; empty where the question was asked alone"
_CHOSEN = "the candidate chosen, of several that tie a seeded draw; empty if invalid"
_TEMPERATURE = "temperature that the output was decoded at: 0 is greedy; empty for rules"
_OUTPUT = "what the model said, a JSON list where it was asked more than once; empty where there is none"
_MASS = "how probable the labels are together, a mean over requests; empty where no options are scored"
_BOUNDED = "whether the choice depends on a label of which a server tells a bound alone"
_READINGS = "what each request says of the samples that it weighs against each other: the share of each"
_OWN = (
    "of `tokens_in` and the options, those that are read for this question alone and once: without "
    "demonstrations and what its prompts share (within their queries by characters)"
)
_ALONE = "the same if the question stood alone: with demonstrations, once"
READINGS = pl.List(pl.Struct({"samples": pl.List(pl.Int32), "shares": pl.List(pl.Float64)}))
COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("asked", pl.String, _ASKED),
    Column("k", pl.Int32, "number of candidates shown"),
    Column("variant", pl.String, "variant"),
    Column("selector", pl.String, "the way of choosing, or the rule"),
    Column("order", pl.List(pl.Int32), "the samples in the order shown, of several the first"),
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
    Column("prompt", pl.String, "the prompt as sent, a JSON list where there are several"),
    Column("temperature", pl.Float64, _TEMPERATURE),
    Column("orders", pl.List(pl.List(pl.Int32)), "all orders shown, one after the other"),
    Column("picks", pl.List(pl.Int32), "the sample picked in each order, where there are several"),
    Column("calls", pl.Int32, "how many different requests were made; empty for rules"),
    Column("label_mass", pl.Float64, _MASS),
    Column("bounded", pl.Boolean, _BOUNDED),
    Column("discriminator", pl.String, "the model that was asked; empty where none was"),
    Column("readings", READINGS, _READINGS),
    Column("tokens_own", pl.Int32, _OWN),
    Column("tokens_alone", pl.Int32, _ALONE),
    ANSWERS,
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)


def choice_rows(
    name: str,
    view: View,
    pool: Pool,
    told: Sequence[tuple[Asked, Sequence[Response]]],
    temperature: float = 0.0,
    discriminator: str | None = None,
) -> list[dict[str, Any]]:
    """What was asked, each with the responses to its requests in order, as rows of SCHEMA.

    They are for the variant called `name`, were decoded at `temperature`, and are of the model called
    `discriminator`.
    """
    selector, rows = asking(view.variant), []
    learnt, drawn = selector.learn(view, *zip(*told, strict=True)) if told else None, drawing_of(view)
    for each, own in told:
        candidates = pool[each.question.question_id][: view.k]
        about = _told(each, own, selector.listing) if each.shown else {"calls": 0}
        preference = selector.read(view, each, own, learnt) if each.shown else _decided(view.k)
        if view.variant.by == "answer":
            preference = replace(preference, scores=summed(preference.scores, candidates))
        order = each.shown[0].order if each.shown else range(view.k)
        rows.append(
            {
                **choice_row(each.question.question_id, view.k, name, order, preference, view.settings.seed),
                "selector": view.variant.selector,
                "orders": [list(shown.order) for shown in each.shown],
                "picks": list(preference.picks) or None,
                "readings": [asdict(reading) for reading in preference.readings] or None,
                "label_mass": preference.mass,
                "bounded": preference.bounded,
                "probabilities": selector.probable(view.variant),
                "temperature": drawn.temperature if drawn else temperature,
                "discriminator": discriminator,
                **about,
            }
        )
    return rows


def _decided(k: int) -> Preference:
    """The preference where nothing is asked: all candidates are one answer."""
    return Preference((1.0,) * k, None, "decided")


def _told(asked: Asked, answers: Sequence[Response], listing: bool) -> dict[str, Any]:
    """What a row tells of the answers to one question; the same request counts once."""
    once = list(dict(zip(asked.requests, answers, strict=True)).values())
    several = listing or len(answers) > 1
    texts = [None if answer.options else answer.text for answer in answers]
    prompts = [answer.prompt for answer in answers]
    return {
        "calls": len(once),
        "output": (canonical_json(texts) if several else texts[0]) if any(texts) else None,
        "finish_reason": None if several else answers[0].finish_reason,
        "tokens_in": _sum([answer.tokens_in for answer in once]),
        "tokens_out": _sum([answer.tokens_out for answer in once]),
        **read_for(asked, answers),
        "logprob": None if several else answers[0].logprob,
        "prompt": canonical_json(prompts) if several else prompts[0],
    }


def read_for(asked: Asked, answers: Sequence[Response]) -> dict[str, Any]:
    """What is read for one question: the tokens of its own part of the prompts, from the query on, what
    several begin with once, with those of options; the same with what comes before; and the stored answers,
    each with what is read for it alone and the samples that it is about, slot by slot.
    """
    once = dict(zip(asked.requests, answers, strict=True))
    about, rows, before = _about(asked), list[dict[str, Any]](), ""
    texts = [answer.prompt for answer in once.values()]
    common = len(commonprefix(texts)) if len(texts) > 1 else 0  # noqa: RUF071
    starts = [answer.prompt.rfind(request.prompt.query) for request, answer in once.items()]
    known = all(answer.tokens_in is not None for answer in once.values())
    shared, started = 0, 0
    for (request, answer), start in sorted(
        zip(once.items(), starts, strict=True), key=lambda each: each[0][1].prompt
    ):
        text, options = answer.prompt, _read_of_options(request, answer)
        alike = len(commonprefix([text, before]))  # noqa: RUF071
        start, query = max(start, 0), answer.tokens_query
        if query is None:
            query = part(answer.tokens_in, text, start)
        own = part(query, text[start:], max(alike, common) - start)
        if known and not before:
            started = (answer.tokens_in or 0) - (query or 0)
            shared = part(query, text[start:], 0, common - start) or 0
        before = text
        rows += spent_rows(answer.spent, None if own is None else own + options, about[request])
    read = sum(each["tokens_own"] for each in rows) + shared if known else None
    return {"tokens_own": read, "tokens_alone": None if read is None else read + started, "answers": rows}


def _read_of_options(request: Request, answer: Response) -> int:
    """About how many tokens of options are read: what several begin with once, and no last one, since nothing
    comes after it. Where tokens begin is told by characters.
    """
    counts = zip(request.options, answer.option_tokens or (), strict=False)
    return len({text[: len(text) * at // count] for text, count in counts for at in range(1, count)})


def _about(asked: Asked) -> dict[Request, list[set[int]]]:
    """The samples that each request is about, slot by slot: those that stand there or are stood for."""
    alike: dict[int, set[int]] = {}
    for sample, stand in enumerate(asked.stands):
        alike.setdefault(stand, set()).add(sample)
    about: dict[Request, list[set[int]]] = {}
    for shown in asked.shown:
        for request, part_ in zip(shown.requests, shown.parts, strict=True):
            slots = about.setdefault(request, [set() for _ in part_.slots])
            for samples, slot in zip(slots, part_.slots, strict=True):
                samples |= alike[shown.order[slot]]
    return about


def summed(scores: Sequence[float | None], candidates: Sequence[Candidate]) -> tuple[float | None, ...]:
    """The scores of answers: what candidates with the same normal form score together (a weighted vote).

    A candidate without a normal form is an answer of its own.
    """
    sums: dict[str | None, float] = {}
    for score, candidate in zip(scores, candidates, strict=True):
        if score is not None:
            sums[candidate.extracted] = sums.get(candidate.extracted, 0.0) + score
    return tuple(
        score if candidate.extracted is None else sums.get(candidate.extracted)
        for score, candidate in zip(scores, candidates, strict=True)
    )


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
    name: str,
    variant: Variant,
    pool: Pool,
    questions: Sequence[str],
    k: int,
    seed: int,
    others: Mapping[str, Sequence[Scores]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Choices of the rule of `variant` among the first k candidates of each question, as rows of SCHEMA.

    A tie is shared in scores where the rule says so; `chosen_sample` is a seeded draw from it. A question
    whose candidates have no score has no choice. `others` are, by question, the scores that are ranked
    together.
    """
    selector = variant.selector
    rows, chooses = [], rule(variant)
    for question in questions:
        draw = Random(seed_of("rule", seed, selector, question, k))
        given = Given(variant, draw, others.get(question, ()))
        scores = tuple(chooses.scores(pool[question][:k], given))
        if variant.by == "answer":
            scores = summed(scores, pool[question][:k])
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
                "probabilities": chooses.probable(variant),
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
    apart = [name for name in ("k", *WAY, "asked") if name in choices.columns]
    return named(choices).unique(apart, keep="first", maintain_order=True)
