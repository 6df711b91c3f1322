"""Generation: sample n candidates for every question, and bring the shards together."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.digest import seed_of
from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Turns
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.generate.settings import Settings
from selfincorrect.models.answers import ANSWERS, part
from selfincorrect.models.answers import rows as spent_rows
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.conversations import turns_of
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import TaskPrompts

log = logging.getLogger("selfincorrect")

COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("sample", pl.Int32, "candidate, 0 … n − 1"),
    Column("text", pl.String, "the answer; empty where there is none"),
    Column("finish_reason", pl.String, "how it ended: `stop`; `length`, cut at the token limit; without a "
                                       "text `context` (the prompt does not fit), `refused`, `filtered` or "
                                       "`error` (a server failed)"),
    Column("tokens_in", pl.Int32, "tokens of the prompt"),
    Column("tokens_out", pl.Int32, "tokens of the output"),
    Column("seed", pl.Int64, "seed that drew it; empty where a server drew several samples of a call with "
                             "the seed of the first"),
    Column("logprob", pl.Float64, "natural logarithm, at temperature 1, of the probability of the answer's "
                                  "tokens: without the end-of-text token and stop strings, in every engine. "
                                  "Answers stored by versions of before 2026-11-26 have the end in it"),
    Column("prompt", pl.String, "the prompt as sent"),
    Column("reasoning", pl.String, "its thoughts: what a server told apart, or what stands in tags of "
                                   "thoughts"),
    Column("reasoning_tokens", pl.Int32, "tokens of them, where that is known"),
    Column("forced", pl.Boolean, "whether its thought was closed at the budget of `reasoning`"),
    Column("cut", pl.Int32, "characters beyond `sampling.max_characters`"),
    ANSWERS,
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)


def cut_text(text: str | None, longest: int) -> tuple[str | None, int]:
    """A text whose answer has at most `longest` characters, its thoughts as well, and how many were cut
    off.
    """
    if text is None or len(text) <= longest:
        return text, 0
    short = thoughts.shortened(text, longest)
    return short, len(text) - len(short)


def count_cut(table: pl.DataFrame, longest: int, what: str) -> None:
    """Log how many texts of a pool were cut at `longest` characters."""
    if count := table.filter(pl.col("cut") > 0).height:
        log.warning(
            "%s: %d of %d candidates have more than %d characters and are cut there",
            what,
            count,
            table.height,
            longest,
        )


def sampled_pool(
    questions: Sequence[Question],
    task: str,
    prompts: TaskPrompts,
    model_digest: str,
    settings: Settings,
    ask: Callable[[list[Request]], list[Response]],
) -> pl.DataFrame:
    """The candidates of `questions` as rows of SCHEMA. Turns of a conversation are asked one after the
    other, each sample going on from its own earlier answers.
    """
    n, trim = settings.sampling.n, get_task(task).trim
    conversations = list(turns_of(questions).values())
    histories: dict[tuple[str, int], Turns] = {}
    unsent: dict[tuple[str, int], str] = {}
    tables = [pl.DataFrame(schema=SCHEMA)]
    for place in range(max(map(len, conversations), default=0)):
        turn = [turns[place] for turns in conversations if len(turns) > place]
        requests = generation_requests(turn, task, prompts, model_digest, settings, histories)
        said = [(question.cluster, sample) for question in turn for sample in range(n)]
        # After a turn without an answer the next has none either: with an empty one it would be another
        # question.
        answers = iter(
            ask([request for request, key in zip(requests, said, strict=True) if key not in unsent])
        )
        responses = [
            _not_sent(request, unsent[key]) if key in unsent else next(answers)
            for request, key in zip(requests, said, strict=True)
        ]
        tables.append(candidate_table(turn, requests, responses, settings.sampling.max_characters))
        for key, request, response, text in zip(said, requests, responses, tables[-1]["text"], strict=True):
            histories[key] = (*request.prompt.history, (request.prompt.query, trim(text or "")))
            if text is None:
                unsent[key] = response.finish_reason
    order = {question.question_id: place for place, question in enumerate(questions)}
    table = pl.concat(tables)
    return table.sort(table["question_id"].replace_strict(order, return_dtype=pl.Int64), maintain_order=True)


def _not_sent(request: Request, reason: str) -> Response:
    return Response(None, request.prompt.text(), reason, None, 0, None, sent=False)


def generation_requests(
    questions: Sequence[Question],
    task: str,
    prompts: TaskPrompts,
    model_digest: str,
    settings: Settings,
    histories: Mapping[tuple[str, int], Turns] | None = None,
) -> list[Request]:
    """n requests for each question, in order. A sample's seed depends on (seed, model, task, question,
    sample) only.

    `histories` holds, by cluster and sample, the earlier turns of a conversation.
    """
    sampling = settings.sampling
    decoding = Decoding(settings.answer_tokens, sampling.temperature, sampling.top_p, prompts.generate.stop)
    return [
        Request(
            generation_prompt(
                question, prompts, settings.shots, (histories or {}).get((question.cluster, sample), ())
            ),
            decoding,
            seed_of("generate", settings.seed, model_digest, task, question.question_id, sample),
        )
        for question in questions
        for sample in range(sampling.n)
    ]


def _own(request: Request, response: Response) -> int | None:
    """The tokens of a prompt that are the question's own: what comes before is read for all."""
    if response.tokens_query is not None:
        return response.tokens_query
    return part(response.tokens_in, response.prompt, response.prompt.rfind(request.prompt.query))


def _parted(response: Response, longest: int) -> dict[str, Any]:
    """The answer without its thoughts, these, and how many characters of the answer were cut off."""
    thought, text = ("", response.text) if response.text is None else thoughts.parted(response.text)
    short, cut = cut_text(text if thought else response.text, longest)
    told = response.reasoning or thought or None
    return {"text": short, "cut": cut, "reasoning": told[:longest] if told else None}


def candidate_table(
    questions: Sequence[Question], requests: Sequence[Request], responses: Sequence[Response], longest: int
) -> pl.DataFrame:
    """Responses as rows of SCHEMA, texts cut at `longest` characters; `requests` as made by
    `generation_requests`.
    """
    n = len(requests) // max(len(questions), 1)
    rows = [
        {
            "question_id": questions[index // n].question_id,
            "sample": index % n,
            **_parted(response, longest),
            "finish_reason": response.finish_reason,
            "tokens_in": response.tokens_in,
            "tokens_out": response.tokens_out,
            "seed": request.seed if response.seeded else None,
            "logprob": response.logprob,
            "prompt": response.prompt,
            "reasoning_tokens": response.reasoning_tokens,
            "forced": response.forced,
            "answers": spent_rows(response.spent, _own(request, response)),
        }
        for index, (request, response) in enumerate(zip(requests, responses, strict=True))
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
