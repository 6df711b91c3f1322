"""The viewer's data: every question with its candidates, grades, choices and prompts, in parts that a browser
unpacks one at a time.

Nothing here is HTML. A part is JSON, compressed and in base64, so that no text of a model can end the element
that holds it; the script of the page writes texts as text.
"""

import base64
import gzip
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from os.path import commonprefix  # of any strings, character by character
from typing import Any

import polars as pl

from selfincorrect.report.page.samples import grade_of_choice
from selfincorrect.report.shown import labelled
from selfincorrect.report.tables import Pair

PART = 40  # questions that are unpacked together
READ = 1_000  # questions whose rows are in memory together
BYTES = 22_000_000  # of all parts as they stand in the page
CLIP = 20_000  # characters of a text; what is longer is in the tables
OPENING = 90  # characters of a question in the list

CANDIDATES = ["question_id", "sample", "text", "reasoning", "prompt"]
GRADES = ["question_id", "sample", "extracted", "grade"]
CHOICES = ["question_id", "k", "variant", "discriminator", "selector", "order", "output", "scores", "parsed"]
CHOICES += ["how", "chosen_sample", "shared", "valid", "prompt"]


@dataclass
class Viewer:
    """`index` and `parts` as they stand in the page; how many questions of `questions` are `shown`."""

    index: str
    parts: list[str]
    shown: int
    questions: int


@dataclass
class _Index:
    """What the list of questions needs. A way of choosing is a k and a name; `rows` have the pair, the part,
    the place in it, the question's id and opening, whether it is mixed, and for each way the sample that it
    chose and its grade.
    """

    pairs: list[Pair]
    knowing: list[str]
    ways: list[tuple[int, str]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


def viewer(
    pairs: Sequence[Pair],
    questions: Mapping[str, Mapping[str, Mapping[str, Any]]],
    files: Mapping[Pair, Mapping[str, list[str]]],
    asked: Mapping[Pair, list[str]],
    knowing: Collection[str],
    most: int,
) -> Viewer:
    """The data of at most `most` questions, as many of each pair, and of fewer where BYTES are reached.

    `questions` are by task and id; `files` of a pair are its paths of `candidates`, `grades` and `choices`;
    `asked` are the ids of its questions, in order; ways of `knowing` use the grades.
    """
    index, left = _Index(list(pairs), sorted(knowing)), BYTES
    parts: list[str] = []
    for place, pair in enumerate(pairs):
        ids, allowed = asked[pair][: most // len(pairs)], left // (len(pairs) - place)
        for number, tables in _chunks(files[pair], pair[0], ids):
            rows, part = _part(number, tables, questions[pair[1]], index)
            packed = _packed(part)
            if len(packed) > allowed:
                break
            index.rows += [[place, len(parts), *row] for row in rows]
            parts.append(packed)
            allowed, left = allowed - len(packed), left - len(packed)
    return Viewer(_packed(vars(index)), parts, len(index.rows), sum(map(len, asked.values())))


def _chunks(
    paths: Mapping[str, list[str]], model: str, ids: Sequence[str]
) -> Iterator[tuple[list[str], dict[str, dict[Any, pl.DataFrame]]]]:
    """PART ids at a time, with their rows of each table by question."""
    columns = {"candidates": CANDIDATES, "grades": GRADES, "choices": CHOICES}
    for start in range(0, len(ids), READ):
        some = ids[start : start + READ]
        wanted = pl.col("question_id").is_in(some)
        tables = {
            name: pl.scan_parquet(paths[name]).select(kept).filter(wanted).collect()
            for name, kept in columns.items()
        }
        tables["choices"] = labelled(tables["choices"].with_columns(pl.lit(model).alias("model")))
        found = {
            name: {key[0]: rows for key, rows in table.partition_by("question_id", as_dict=True).items()}
            for name, table in tables.items()
        }
        for first in range(0, len(some), PART):
            yield list(some[first : first + PART]), found


def _part(
    ids: Sequence[str],
    tables: Mapping[str, Mapping[str, pl.DataFrame]],
    questions: Mapping[str, Mapping[str, Any]],
    index: _Index,
) -> tuple[list[list[Any]], dict[str, Any]]:
    """The rows of the index, without pair and part, and the part itself. What all prompts of a way begin
    with stands once, in `heads`.
    """
    shown, rows = [], []
    for place, name in enumerate(ids):
        pool = (
            tables["candidates"][name]
            .join(tables["grades"][name], on=["question_id", "sample"])
            .sort("sample")
        )
        grades = dict(pool.select("sample", "grade").iter_rows())
        choices = [
            _choice(row, grades, index)
            for row in tables["choices"].get(name, pl.DataFrame()).iter_rows(named=True)
        ]
        known = [grade for grade in grades.values() if grade is not None]
        asked = _clipped(questions[name]["question"]) or ""
        rows.append(
            [place, name, asked[:OPENING], bool(known) and max(known) > min(known), _picks(choices, index)]
        )
        shown.append(
            {
                "question": asked,
                "references": [_clipped(str(each)) for each in questions[name]["references"][:20]],
                "prompt": pool["prompt"].first(),
                "candidates": [
                    [
                        row["sample"],
                        _clipped(row["text"]),
                        _clipped(row["reasoning"]),
                        _clipped(row["extracted"]),
                        row["grade"],
                    ]
                    for row in pool.iter_rows(named=True)
                ],
                "choices": choices,
            }
        )
    return rows, {"heads": _without_heads(shown), "questions": shown}


def _choice(row: Mapping[str, Any], grades: Mapping[int, float | None], index: _Index) -> dict[str, Any]:
    way = (row["k"], row["variant"])
    if way not in index.ways:
        index.ways.append(way)
    picked = row["shared"] or [row["chosen_sample"]]
    return {
        "way": index.ways.index(way),
        "selector": row["selector"],
        "order": row["order"],
        "output": _clipped(row["output"]),
        "scores": row["scores"] and [_number(score) for score in row["scores"]],
        "parsed": _clipped(row["parsed"]),
        "how": row["how"],
        "picked": picked if row["valid"] else [],
        "grade": grade_of_choice(row, grades),
        "prompt": row["prompt"],
    }


def _picks(choices: Sequence[Mapping[str, Any]], index: _Index) -> list[list[Any]]:
    """For each way its number, the sample picked where it is one, and the grade."""
    return [
        [each["way"], each["picked"][0] if len(each["picked"]) == 1 else None, each["grade"]]
        for each in choices
    ]


def _without_heads(shown: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What all prompts of a way begin with, which is taken from each; "" stands for generating."""
    places: dict[str, list[dict[str, Any]]] = {}
    for question in shown:
        for name, holder in [("", question), *((str(each["way"]), each) for each in question["choices"])]:
            if holder["prompt"] is not None:
                places.setdefault(name, []).append(holder)
    prompts = {name: [each["prompt"] for each in holders] for name, holders in places.items()}
    heads = {name: commonprefix(each) for name, each in prompts.items()}  # noqa: RUF071
    for name, holders in places.items():
        for holder in holders:
            holder["prompt"] = _clipped(holder["prompt"][len(heads[name]) :])
    return {name: _clipped(head) or "" for name, head in heads.items()}


def _number(score: float | None) -> float | None:
    """A score as JSON has it: four decimals, and no infinity."""
    return None if score is None or not isfinite(score) else round(score, 4)


def _clipped(text: str | None) -> str | None:
    if text is None or len(text) <= CLIP:
        return text
    return f"{text[:CLIP]}\n[{len(text) - CLIP:,} more characters, in the tables]"


def _packed(value: Any) -> str:
    """JSON, compressed, in base64; the same bytes every time. Half of a surrogate pair, which is no text,
    stays an escape of JSON.
    """
    data = json.dumps(value, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()
