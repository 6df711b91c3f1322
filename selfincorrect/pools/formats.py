"""Readers of pools from elsewhere, one for each format that `pools` describes."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfincorrect.errors import UserError
from selfincorrect.pools.judgements import votes_of
from selfincorrect.pools.kinds import CanonicalPool, FlatPool, Judgements, LmEvalPool, Pool, Scores
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
    scores: Mapping[str, float | None] = field(default_factory=dict)  # by name


def read(pool: Pool) -> list[Row]:
    """The candidates in a pool's file.

    Raises UserError where columns are missing or hold something else.
    """
    if isinstance(pool, FlatPool):
        return list(_flat(pool, pool.file()))
    columns = {}
    for name, each in pool.preferred().items():
        if not isinstance(each, Scores) or len(each.columns) != 1:
            named = ", ".join(each.columns) if isinstance(each, Scores) else "two judgements"
            raise UserError(
                f"{pool.path}: `scores.{name}` names {named}. Of a file of format "
                f"{pool.format} it is one column: a number a candidate, or a list a question."
            )
        columns[name] = each.columns[0]
    return list((_canonical if isinstance(pool, CanonicalPool) else _lm_eval)(pool.file(), columns))


def _canonical(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    rows = list(read_rows(path))
    key = "question_id" if rows and "question_id" in rows[0] else "question"
    hint = "format: canonical needs `question_id` or `question`, `sample` and `text`."
    _need(rows, [key, "sample", "text", *columns.values()], path, hint)
    for number, row in enumerate(rows):
        sample = _number(row["sample"], path, number, "sample")
        if sample is None or sample != int(sample):
            raise UserError(f"{path}, row {number + 1}: `sample` is {row['sample']!r}, not a whole number.")
        if row[key] is None:
            raise UserError(f"{path}, row {number + 1}: `{key}` is empty.")
        text, grade = _text(row["text"], path, number), _number(row.get("grade"), path, number, "grade")
        scores = {name: _number(row[column], path, number, column) for name, column in columns.items()}
        yield Row(str(row[key]), int(sample), text, grade, scores)


def _lm_eval(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    rows = list(read_rows(path))
    hint = "format: lm-eval reads the `samples_<task>_<time>.jsonl` of `--log_samples`."
    _need(rows, ["doc", "resps", *columns.values()], path, hint)
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
        for column in columns.values():
            if not isinstance(row[column], list) or len(row[column]) != len(texts):
                wanted = f"a list of {len(texts)} numbers, one a response"
                raise UserError(f"{path}, row {number + 1}: `{column}` is not {wanted}.")
        for sample, text in enumerate(texts):
            scores = {name: _number(row[c][sample], path, number, c) for name, c in columns.items()}
            yield Row(key, sample, _text(text, path, number), None, scores)
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
    for name, each in pool.preferred().items():
        count = len(each.columns) if isinstance(each, Scores) else 2
        if count != len(none):
            raise UserError(
                f"{path}: {count} columns of scores ({name}) for {len(none)} answers. Name one for each."
            )
    for number, row in enumerate(rows):
        scores = {name: _preferred(each, row, path, number) for name, each in pool.preferred().items()}
        for sample, (answer, grade) in enumerate(zip(pool.answers, grades, strict=True)):
            graded = _number(row.get(grade), path, number, grade) if grade else None
            own = {name: each[sample] for name, each in scores.items()}
            yield Row(str(row[pool.question]), sample, _text(row[answer], path, number), graded, own)


def _preferred(
    given: Scores | Judgements, row: Mapping[str, Any], path: Path, number: int
) -> Sequence[float | None]:
    """The scores of a row's candidates."""
    if isinstance(given, Judgements):
        return votes_of(row[given.given], row[given.swapped], given.mapped)
    return [_number(row.get(column), path, number, column) for column in given.columns]


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
    named = pool.preferred().values()
    scores = [c for each in named for c in _columns_of(each)]
    wanted = [pool.question, *pool.answers, *(pool.grades or []), *scores, *outputs]
    hint = (
        "format: columns names columns of the file in `question`, `answers`, `grades`, `scores`, `outputs`."
    )
    _need(rows, wanted, path, hint)
    kept = [row for row in rows if not any(row[answer] in pool.drop for answer in pool.answers)]
    if out := len(rows) - len(kept):
        log.info("%s: %d of %d questions left out, with an answer in %s", path, out, len(rows), pool.drop)
    return kept


def _columns_of(given: Scores | Judgements) -> list[str]:
    return given.columns if isinstance(given, Scores) else [given.given, given.swapped]


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
