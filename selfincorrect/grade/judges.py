"""Grades by judges: models that are asked about each candidate, and whose answers are read as grades."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from selfincorrect.columns import Column, schema_of
from selfincorrect.digest import seed_of
from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.errors import UserError
from selfincorrect.models.answers import ANSWERS
from selfincorrect.models.answers import rows as spent_rows
from selfincorrect.tasks.base import Judge, Question, Task
from selfincorrect.tasks.conversations import turns_of

log = logging.getLogger("selfincorrect")

# The temperature of later attempts: the first one is greedy, and would say the same again.
AGAIN = 0.7

COLUMNS = [
    Column("question_id", pl.String, "question"),
    Column("sample", pl.Int32, "candidate"),
    Column("role", pl.String, "role of the judge"),
    Column("judge", pl.String, "name of the judging model"),
    Column("rating", pl.Int32, "from 1; where candidates are rated several times"),
    Column("attempt", pl.Int32, "from 1; only the last one of a rating counts"),
    Column("output", pl.String, "what the judge said"),
    Column("reading", pl.Float64, "a rating, or the probability of \"yes\"; empty where the output holds "
                                  "none"),
    Column("finish_reason", pl.String, "how the output ended, as of candidates"),
    Column("tokens_in", pl.Int32, "tokens of the prompt"),
    Column("tokens_out", pl.Int32, "tokens of the output"),
    Column("logprob", pl.Float64, "as of candidates"),
    Column("prompt", pl.String, "the prompt as sent"),
    ANSWERS,
]  # fmt: skip
SCHEMA = schema_of(COLUMNS)


@dataclass(frozen=True)
class Case:
    """One answer before one judge."""

    question_id: str
    sample: int
    role: str
    prompt: Prompt


def cases(
    questions: Sequence[Question], candidates: pl.DataFrame, role: str, judge: Judge, task: Task
) -> list[Case]:
    """Every candidate that has an answer, before `judge`. A conversation's later turns are judged with the
    earlier ones in sight.
    """
    texts = {
        (row[0], row[1]): row[2] for row in candidates.select("question_id", "sample", "text").iter_rows()
    }
    samples = candidates["sample"].unique().sort().to_list()
    asked = set(candidates["question_id"])
    found = []
    for turns in turns_of([question for question in questions if question.question_id in asked]).values():
        for sample in samples:
            answers = [texts.get((turn.question_id, sample)) for turn in turns]
            for place, turn in enumerate(turns, start=1):
                given = answers[:place]
                if any(text is None or thoughts.unfinished(text) for text in given):
                    continue
                trimmed = [task.trim(text or "") for text in given]
                found.append(Case(turn.question_id, sample, role, judge.prompt(turns[:place], trimmed)))
    return found


def requests(
    waiting: Sequence[Case], judge: Judge, attempt: int, seed: int, rating: int = 1
) -> list[Request]:
    """One request a case: greedy at first, seeded draws when asked again or for a further rating."""
    greedy, further = attempt == rating == 1, () if rating == 1 else (rating,)
    decoding = Decoding(judge.tokens, 0.0 if greedy else AGAIN, 1.0, ())

    def drawn(case: Case) -> int:
        return seed_of("judge", seed, case.role, case.question_id, case.sample, attempt, *further)

    return [Request(case.prompt, decoding, None if greedy else drawn(case)) for case in waiting]


def judgements(
    waiting: Sequence[Case],
    judge: Judge,
    name: str,
    seed: int,
    ask: Callable[[list[Request]], list[Response]],
    primer: str = "",
    rating: int = 1,
) -> list[dict[str, Any]]:
    """Rows of SCHEMA for each case and attempt of one `rating`. Cases without a reading are asked again, up
    to ATTEMPTS times in all.

    Raises UserError if a judge that answers with one token does not tell its probability.

    `primer` is what the judge's answers are made to begin with; it is read with them.
    """
    rows: list[dict[str, Any]] = []
    waiting = [replace(case, prompt=replace(case.prompt, primer=primer)) for case in waiting]
    for attempt in range(1, judge.attempts + 1):
        if not waiting:
            break
        responses = ask(requests(waiting, judge, attempt, seed, rating))
        unread = []
        for case, response in zip(waiting, responses, strict=True):
            primed = replace(response, text=primer + (response.text or ""))
            reading = None if response.text is None else judge.read(primed)
            rows.append(
                {
                    "question_id": case.question_id, "sample": case.sample, "role": case.role, "judge": name,
                    "rating": rating, "attempt": attempt, "output": response.text, "reading": reading,
                    "finish_reason": response.finish_reason, "tokens_in": response.tokens_in,
                    "tokens_out": response.tokens_out, "logprob": response.logprob, "prompt": response.prompt,
                    "answers": spent_rows(response.spent),
                }
            )  # fmt: skip
            if reading is None and response.text is not None:
                if judge.attempts == 1:
                    raise UserError(
                        f"The judge {name} gives no log-probabilities, and its agreement is the probability "
                        f"of one token. Use a "
                        "model with `engine: transformers`, or a server that gives them (`logprobs: true`)."
                    )
                unread.append(case)
        waiting = unread
    return rows


def count_unread(rows: Sequence[Mapping[str, Any]], what: str) -> None:
    """Log how many candidates got no reading in any attempt."""
    last = {(row["question_id"], row["sample"]): row["reading"] for row in rows}
    if unread := sum(reading is None for reading in last.values()):
        log.warning("%s: %d of %d candidates got no reading and have no grade", what, unread, len(last))


def ratings_of(table: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """The rows of each rating, by its number; one without any where nothing was judged."""
    parts = table.sort("rating", maintain_order=True).group_by("rating", maintain_order=True)
    return {int(number): rows for (number,), rows in parts} or {1: table}


def readings(table: pl.DataFrame) -> dict[tuple[str, int], dict[str, float | None]]:
    """Of a table of SCHEMA: what each judge read of each candidate, by role; None where it gave no
    reading.
    """
    found: dict[tuple[str, int], dict[str, float | None]] = {}
    for row in table.sort("attempt").select("question_id", "sample", "role", "reading").iter_rows():
        found.setdefault((row[0], row[1]), {})[row[2]] = row[3]
    return found
