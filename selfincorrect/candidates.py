"""Generation: sample n candidates for every question, and bring the shards together."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from selfincorrect.digest import seed_of
from selfincorrect.engines import Decoding, Request, Response
from selfincorrect.prompts import Prompt, TaskPrompts
from selfincorrect.tasks.base import Question

SCHEMA = {
    "question_id": pl.String,
    "sample": pl.Int32,
    "text": pl.String,  # null where the prompt did not fit the model's context
    "finish_reason": pl.String,
    "tokens_in": pl.Int32,
    "tokens_out": pl.Int32,
    "seed": pl.Int64,
    "logprob": pl.Float64,
    "prompt": pl.String,
}


def shard_of(questions: Sequence[Question], shard: int, shards: int) -> list[Question]:
    """The questions of one shard, 0 ≤ `shard` < `shards`: consecutive, sizes differ by at most one."""
    start, end = (len(questions) * i // shards for i in (shard, shard + 1))
    return list(questions[start:end])


def generation_prompt(question: Question, prompts: TaskPrompts, shots: int) -> Prompt:
    """The few-shot prompt that asks for an answer to `question`."""
    template = prompts.generate
    demonstrations = tuple(
        (template.query.format(question=each.question), each.right.text) for each in prompts.demonstrations[:shots]
    )
    return Prompt(template.instruction, demonstrations, template.query.format(question=question.question))


def generation_requests(
    questions: Sequence[Question],
    task: str,
    prompts: TaskPrompts,
    model_digest: str,
    settings: Mapping[str, Any],
) -> list[Request]:
    """n requests for each question, in order. A sample's seed depends on (seed, model, task, question, sample) only."""
    sampling = settings["sampling"]
    decoding = Decoding(settings["answer_tokens"], sampling["temperature"], sampling["top_p"], prompts.generate.stop)
    return [
        Request(
            generation_prompt(question, prompts, settings["shots"]),
            decoding,
            seed_of("generate", settings["seed"], model_digest, task, question.question_id, sample),
        )
        for question in questions
        for sample in range(sampling["n"])
    ]


def candidate_table(
    questions: Sequence[Question], requests: Sequence[Request], responses: Sequence[Response]
) -> pl.DataFrame:
    """Responses as rows of SCHEMA; `requests` as made by `generation_requests`."""
    n = len(requests) // max(len(questions), 1)
    rows = [
        {
            "question_id": questions[index // n].question_id,
            "sample": index % n,
            "text": response.text,
            "finish_reason": response.finish_reason,
            "tokens_in": response.tokens_in,
            "tokens_out": response.tokens_out,
            "seed": request.seed,
            "logprob": response.logprob,
            "prompt": response.prompt,
        }
        for index, (request, response) in enumerate(zip(requests, responses, strict=True))
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
