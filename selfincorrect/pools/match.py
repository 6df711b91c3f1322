"""Candidates from elsewhere, checked, matched to the questions of a task, and written as our tables."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from selfincorrect.errors import UserError
from selfincorrect.generate import candidates
from selfincorrect.pools.formats import Row, read
from selfincorrect.pools.kinds import Pool, Scores
from selfincorrect.tasks.base import Question

log = logging.getLogger("selfincorrect")


def identities(keys: Sequence[str], questions: Sequence[Question], path: Path) -> list[str]:
    """The question id behind each key, an id or the exact text of a question.

    Raises UserError, with counts, for keys that the task does not know and for texts that several questions
    share.
    """
    # Blanks at the ends and in a row make no other question.
    keys = [" ".join(key.split()) for key in keys]
    ids = {question.question_id for question in questions}
    plain = {question.question_id: " ".join(question.question.split()) for question in questions}
    texts = {text: identity for identity, text in plain.items()}
    unknown = Counter(key for key in keys if key not in ids and key not in texts)
    if unknown:
        raise UserError(
            f"{path}: {len(unknown)} of {len(set(keys))} questions ({unknown.total()} rows) are unknown "
            f"to the task, such as {next(iter(unknown))[:80]!r}. Each row needs the task's `question_id`, "
            f"such as {questions[0].question_id!r}, or the exact text of its question."
        )
    shared = Counter(plain.values())
    unclear = {key for key in keys if key not in ids and shared[key] > 1}
    if unclear:
        raise UserError(
            f"{path}: {len(unclear)} texts belong to several questions of the task, "
            f"such as {min(unclear)[:80]!r}. Give `question_id` instead."
        )
    return [key if key in ids else texts[key] for key in keys]


def pool_table(
    rows: Sequence[Row],
    questions: Sequence[Question],
    path: Path,
    k: int,
    limits: tuple[float, float] = (0, 1),
    longest: int = 100_000,
) -> pl.DataFrame:
    """The table candidates.parquet of a pool.

    It has samples 0 … n − 1 of the pool's questions in the data's order, with `grade` if the pool has grades;
    texts are cut at `longest` characters. Raises UserError, with counts, for unknown questions, duplicate
    samples, unequal n, n below `k`, and grades of only some candidates or outside `limits`.
    """
    if not rows:
        raise UserError(f"{path} holds no candidates.")
    pool: dict[str, list[Row]] = {}
    for identity, row in zip(identities([row.key for row in rows], questions, path), rows, strict=True):
        pool.setdefault(identity, []).append(row)
    n = _check_samples(pool, path)
    if n < k:
        raise UserError(
            f"{path}: {n} candidates a question, and k = {k} are to be chosen among. Set k to at most {n}."
        )
    graded = sum(row.grade is not None for row in rows)
    if graded not in (0, len(rows)):
        raise UserError(
            f"{path}: {graded} of {len(rows)} candidates have a grade. Give all of them one, or none."
        )
    beyond = [row for row in rows if row.grade is not None and not limits[0] <= row.grade <= limits[1]]
    if beyond:
        raise UserError(
            f"{path}: {len(beyond)} of {len(rows)} grades lie outside {limits[0]:g} to {limits[1]:g}, "
            f"such as {beyond[0].grade} for {beyond[0].key[:80]!r}. Give "
            + ("fractions, or true and false." if limits[1] == 1 else "them on that scale.")
        )
    empty = sum(not row.text for row in rows)
    if empty:
        log.warning("%s: %d of %d candidates have no text", path, empty, len(rows))
    found = [
        {
            "question_id": question.question_id,
            "sample": row.sample,
            "grade": row.grade,
            **dict(zip(("text", "cut"), candidates.cut_text(row.text, longest), strict=True)),
        }
        for question in questions
        for row in sorted(pool.get(question.question_id, []), key=lambda row: row.sample)
    ]
    table = pl.DataFrame(found, schema=candidates.SCHEMA | {"grade": pl.Float64})
    return table if graded else table.drop("grade")


def scores_of(pool: Pool, questions: Sequence[Question]) -> dict[str, dict[str, list[float | None]]]:
    """The scores of the candidates in a pool's file, by name, by question and in order of sample.

    Raises UserError for probabilities outside [0, 1].
    """
    rows, path = sorted(read(pool), key=lambda row: row.sample), pool.file()
    names = identities([row.key for row in rows], questions, path)
    scores: dict[str, dict[str, list[float | None]]] = {}
    for name, spec in pool.preferred().items():
        given = [(row.scores[name], row.key) for row in rows]
        wrong = [(score, key) for score, key in given if score is not None and not 0 <= score <= 1]
        if isinstance(spec, Scores) and spec.probabilities and wrong:
            raise UserError(
                f"{path}: {len(wrong)} of {len(rows)} scores ({name}) are no probabilities, such as "
                f"{wrong[0][0]} for {wrong[0][1][:80]!r}. Give them from 0 to 1, or say "
                "`probabilities: false`."
            )
        scores[name] = {}
        for identity, (score, _) in zip(names, given, strict=True):
            scores[name].setdefault(identity, []).append(score)
    return scores


def _check_samples(pool: Mapping[str, Sequence[Row]], path: Path) -> int:
    """The number n of candidates of every question, if each has samples 0 … n − 1 once."""
    samples = {identity: [row.sample for row in rows] for identity, rows in pool.items()}
    twice = [identity for identity, each in samples.items() if len(set(each)) < len(each)]
    if twice:
        count = sum(len(samples[identity]) - len(set(samples[identity])) for identity in twice)
        raise UserError(
            f"{path}: {count} duplicate samples in {len(twice)} questions, such as {twice[0]} with samples "
            f"{sorted(samples[twice[0]])}. Each question needs samples 0, 1, 2, … once."
        )
    sizes = Counter(map(len, samples.values()))
    if len(sizes) > 1:
        counts = ", ".join(f"{count} questions with {size}" for size, count in sorted(sizes.items()))
        raise UserError(f"{path}: unequal numbers of candidates: {counts}. Every question needs the same n.")
    n = next(iter(sizes))
    wrong = [identity for identity, each in samples.items() if sorted(each) != list(range(n))]
    if wrong:
        raise UserError(
            f"{path}: samples of {len(wrong)} questions are not 0 to {n - 1}, "
            f"such as {wrong[0]} with {sorted(samples[wrong[0]])}."
        )
    return n
