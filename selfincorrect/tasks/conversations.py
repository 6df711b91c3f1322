"""Pools as a model is shown them.

Items that share a cluster are the turns of one conversation: they are shown and chosen together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from selfincorrect.tasks.base import Question, Task
from selfincorrect.tasks.templates import conversation


@dataclass(frozen=True)
class Candidate:
    """One answer of a pool, graded where the variant needs it; `logprob` and its number of `tokens` where the
    engine that wrote it told them. Of a conversation, `turns` are the answers as they are. `thought` is what
    the model thought before it answered.
    """

    text: str | None
    extracted: str | None = None
    grade: float | None = None
    logprob: float | None = None
    tokens: int | None = None
    turns: tuple[str | None, ...] = ()
    thought: str = ""


@dataclass(frozen=True)
class Conversation(Question):
    """Several questions, one after the other, as one."""

    turns: tuple[Question, ...] = ()


Pool = Mapping[str, Sequence[Candidate]]  # question_id -> candidates by sample


def turns_of(questions: Sequence[Question]) -> dict[str, list[Question]]:
    """Questions by cluster, each in the order of its turns."""
    clusters: dict[str, list[Question]] = {}
    for question in questions:
        clusters.setdefault(question.cluster, []).append(question)
    return clusters


def joined(questions: Sequence[Question]) -> list[Question]:
    """One question a conversation, called as its cluster; with one turn it is that question itself."""

    def together(cluster: str, turns: Sequence[Question]) -> Question:
        text = conversation([turn.question for turn in turns])
        if len(turns) == 1:
            return turns[0]
        return Conversation(cluster, cluster, text, turns[0].references, turns=tuple(turns))

    return [together(cluster, turns) for cluster, turns in turns_of(questions).items()]


def joined_pool(questions: Sequence[Question], pool: Pool, task: Task) -> dict[str, Sequence[Candidate]]:
    """The candidates of `joined` questions: whole conversations, whose grade is the mean of their turns'."""
    together: dict[str, Sequence[Candidate]] = {}
    for cluster, turns in turns_of(questions).items():
        if len(turns) == 1:
            together[turns[0].question_id] = pool[turns[0].question_id]
        else:
            samples = zip(*(pool[turn.question_id] for turn in turns), strict=True)
            together[cluster] = [_joined_candidate(sample, task) for sample in samples]
    return together


def _joined_candidate(turns: Sequence[Candidate], task: Task) -> Candidate:
    grade, logprob, tokens = (
        _sum([getattr(turn, name) for turn in turns]) for name in ("grade", "logprob", "tokens")
    )
    mean = None if grade is None else grade / len(turns)
    texts = [task.trim(turn.text or "") for turn in turns]
    text = conversation(texts) if any(texts) else None
    said = tuple(turn.text for turn in turns)
    return Candidate(text, None, mean, logprob, None if tokens is None else int(tokens), said)


def shard_of(questions: Sequence[Question], shard: int, shards: int) -> list[Question]:
    """The questions of one shard, 0 ≤ `shard` < `shards`: consecutive, sizes differ by at most one
    conversation.
    """
    conversations = list(turns_of(questions).values())
    start, end = (len(conversations) * i // shards for i in (shard, shard + 1))
    return [question for turns in conversations[start:end] for question in turns]


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum of `values`; None where one is missing."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def spread(rows: Sequence[Mapping[str, Any]], questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Rows about `joined` questions as rows about their items; `asked` then names the conversation."""
    clusters = turns_of(questions)
    several = {cluster: turns for cluster, turns in clusters.items() if len(turns) > 1}
    items = {cluster: [turn.question_id for turn in turns] for cluster, turns in several.items()}
    together = []
    for row in rows:
        name = row["question_id"]
        if name in items:
            together += [{**row, "question_id": item, "asked": name} for item in items[name]]
        else:
            together.append(dict(row))
    return together


def pool_of(candidates: pl.DataFrame, grades: pl.DataFrame | None) -> dict[str, list[Candidate]]:
    """The pool from its tables, candidates in order of sample; graded if `grades` is given."""
    told = [name for name in ("logprob", "tokens_out", "reasoning") if name in candidates.columns]
    table = candidates.select("question_id", "sample", "text", *told)
    if grades is not None:
        graded = grades.select("question_id", "sample", "extracted", "grade")
        table = table.join(graded, on=["question_id", "sample"], how="left", validate="1:1")
    pool: dict[str, list[Candidate]] = {}
    for row in table.sort("question_id", "sample").iter_rows(named=True):
        told_of = row.get("logprob"), row.get("tokens_out")
        candidate = Candidate(
            row["text"], row.get("extracted"), row.get("grade"), *told_of, thought=row.get("reasoning") or ""
        )
        pool.setdefault(row["question_id"], []).append(candidate)
    return pool
