"""Readers of pools from elsewhere, one for each format that `pools` describes."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfincorrect.errors import UserError
from selfincorrect.pools.kinds import CanonicalPool, FlatPool, LmEvalPool, Pool
from selfincorrect.sources.rows import read_rows

log = logging.getLogger("selfincorrect")

_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Row:
    """One candidate as a reader found it; `key` is a question's id or exact text."""

    key: str
    sample: int
    text: str | None
    grade: float | None = None
    score: float | None = None


def read(pool: Pool) -> list[Row]:
    """The candidates in a pool's file.

    Raises UserError where columns are missing or hold something else.
    """
    if isinstance(pool, FlatPool):
        return list(_flat(pool, pool.file()))
    if pool.scores and len(pool.scores.columns) != 1:
        raise UserError(
            f"{pool.path}: `scores.columns` names {', '.join(pool.scores.columns)}. Of a file of format "
            f"{pool.format} it is one column: a number a candidate, or a list a question."
        )
    score = pool.scores.columns[0] if pool.scores else None
    return list((_canonical if isinstance(pool, CanonicalPool) else _lm_eval)(pool.file(), score))


def _canonical(path: Path, score: str | None) -> Iterator[Row]:
    rows = list(read_rows(path))
    key = "question_id" if rows and "question_id" in rows[0] else "question"
    hint = "format: canonical needs `question_id` or `question`, `sample` and `text`."
    _need(rows, [key, "sample", "text", *([score] if score else [])], path, hint)
    for number, row in enumerate(rows):
        sample = _number(row["sample"], path, number, "sample")
        if sample is None or sample != int(sample):
            raise UserError(f"{path}, row {number + 1}: `sample` is {row['sample']!r}, not a whole number.")
        if row[key] is None:
            raise UserError(f"{path}, row {number + 1}: `{key}` is empty.")
        text, grade = _text(row["text"], path, number), _number(row.get("grade"), path, number, "grade")
        scored = _number(row[score], path, number, score) if score else None
        yield Row(str(row[key]), int(sample), text, grade, scored)


def _lm_eval(path: Path, score: str | None) -> Iterator[Row]:
    rows = list(read_rows(path))
    hint = "format: lm-eval reads the `samples_<task>_<time>.jsonl` of `--log_samples`."
    _need(rows, ["doc", "resps", *([score] if score else [])], path, hint)
    seen: set[str] = set()
    repeated = 0
    for number, row in enumerate(rows):
        if row.get("filter") != rows[0].get("filter"):
            continue  # the same responses once more, filtered in another way
        key = _doc_key(row, path, number)
        # Logs from before there was a `filter` have each question once a filter; TriviaQA's full set has some
        # twice.
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        texts = _responses(row["resps"], path, number)
        scores = row[score] if score else [None] * len(texts)
        if not isinstance(scores, list) or len(scores) != len(texts):
            raise UserError(
                f"{path}, row {number + 1}: `{score}` is not a list of {len(texts)} numbers, one a response."
            )
        for sample, (text, value) in enumerate(zip(texts, scores, strict=True)):
            scored = _number(value, path, number, score or "")
            yield Row(key, sample, _text(text, path, number), None, scored)
    if repeated:
        log.info("%s: %d rows repeat a question; the first row of each counts", path, repeated)


def _doc_key(row: Mapping[str, Any], path: Path, number: int) -> str:
    doc = row["doc"]
    key = doc.get("question_id", doc.get("question")) if isinstance(doc, Mapping) else None
    if key is None:
        raise UserError(f"{path}, row {number + 1}: `doc` has no `question_id` or `question` to match.")
    return str(key)


def _responses(value: Any, path: Path, number: int) -> list[Any]:
    """The responses of a row: a list of one list of texts, or the texts themselves."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not all(isinstance(each, str | None) for each in value):
        raise UserError(
            f"{path}, row {number + 1}: `resps` is not one list of responses. "
            "Only tasks that generate have candidates."
        )
    return value


def _flat(pool: FlatPool, path: Path) -> Iterator[Row]:
    rows = _flat_rows(pool, path)
    none: list[str | None] = [None] * len(pool.answers)
    grades: Sequence[str | None] = pool.grades or none
    scores: Sequence[str | None] = pool.scores.columns if pool.scores else none
    if len(scores) != len(none):
        raise UserError(
            f"{path}: {len(scores)} columns of scores for {len(none)} answers. Name one for each."
        )
    for number, row in enumerate(rows):
        for sample, (answer, grade, score) in enumerate(zip(pool.answers, grades, scores, strict=True)):
            graded, scored = (
                _number(row.get(column), path, number, column) if column else None
                for column in (grade, score)
            )
            yield Row(str(row[pool.question]), sample, _text(row[answer], path, number), graded, scored)


def read_outputs(pool: Pool) -> dict[str, str | None]:
    """The discrimination outputs in a pool's file, by question (id or text).

    Of a question's rows it is that of the first which has one. Raises UserError as `read` does.
    """
    path = pool.file()
    assert pool.outputs is not None
    column, found = pool.outputs.column, dict[str, str | None]()
    rows = _flat_rows(pool, path) if isinstance(pool, FlatPool) else list(read_rows(path))
    for number, row in enumerate(rows):
        doc = row.get("doc")
        if isinstance(pool, LmEvalPool):
            key = _doc_key(row, path, number)
            value = row[column] if column in row else doc.get(column) if isinstance(doc, Mapping) else None
        else:
            name = "question_id" if "question_id" in row else "question"
            name = pool.question if isinstance(pool, FlatPool) else name
            key, value = str(row.get(name)), row.get(column)
        if found.get(key) is None:
            found[key] = _text(value, path, number)
    if not any(value is not None for value in found.values()):
        raise UserError(f"{path}: no row has a column {column!r} with an output.")
    return found


def _flat_rows(pool: FlatPool, path: Path) -> list[Mapping[str, Any]]:
    rows = list(read_rows(path))
    outputs = [pool.outputs.column] if pool.outputs else []
    scores = pool.scores.columns if pool.scores else []
    wanted = [pool.question, *pool.answers, *(pool.grades or []), *scores, *outputs]
    hint = (
        "format: columns names columns of the file in `question`, `answers`, `grades`, `scores`, `outputs`."
    )
    _need(rows, wanted, path, hint)
    kept = [row for row in rows if not any(row[answer] in pool.drop for answer in pool.answers)]
    if out := len(rows) - len(kept):
        log.info("%s: %d of %d questions left out, with an answer in %s", path, out, len(rows), pool.drop)
    return kept


def _need(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path, hint: str) -> None:
    for column in columns:
        without = [row for row in rows if column not in row]
        if without:
            found = ", ".join(map(str, without[0]))[:500]
            raise UserError(
                f"{path}: {len(without)} of {len(rows)} rows have no column {column!r}; "
                f"found: {found}. {hint}"
            )


def _text(value: Any, path: Path, number: int) -> str | None:
    if value is None or isinstance(value, str):
        return value
    found = json.dumps(value, default=str)[:80]
    raise UserError(f"{path}, row {number + 1}: a text is wanted, found {found}.")


def _number(value: Any, path: Path, number: int, column: str) -> float | None:
    """The number that `value` is, or that stands for it as a truth value; None for none."""
    if value is None:
        return None
    try:
        found = _TRUTH.get(str(value).lower())
        result = float(value) if found is None else found
    except (TypeError, ValueError, OverflowError):
        result = float("nan")
    if not abs(result) < float("inf"):
        shown = f"{path}, row {number + 1}: `{column}` is {str(value)[:80]!r}"
        raise UserError(f"{shown}, neither a number nor true or false.")
    return result
