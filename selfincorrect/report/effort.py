"""What answers and choices take: tokens, and the operations of the model that reads and writes them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.columns import WAY
from selfincorrect.discriminate.choices import distinct
from selfincorrect.engines.size import Size
from selfincorrect.measure.best_of import sizes
from selfincorrect.measure.intervals import Array
from selfincorrect.measure.needed import About, needed, split_up

Forms = Mapping[int, tuple[int, int]]  # by sample: number of the normal form, and how many have it


class Effort(NamedTuple):
    """What something takes, arrays of one shape; nan is what is not known.

    `read` counts what prompts of a question begin with alike once, and demonstrations not at all, as if they
    had been read for another question; `alone` counts them for each question. `operations` and
    `operations_alone` count reading likewise, both with what is `written`.
    """

    read: Array
    alone: Array
    written: Array
    operations: Array
    operations_alone: Array

    def __add__(self, other: "Effort") -> "Effort":  # type: ignore[override]
        return Effort(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def nothing(shape: tuple[int, ...]) -> Effort:
    return Effort(*(np.zeros(shape) for _ in Effort._fields))


def _operations(size: Size | None, first: Array, tokens: Array) -> Array:
    return np.full(np.shape(tokens), np.nan) if size is None else size.operations(first, tokens)


def spent_operations(answers: pl.DataFrame, size: Size | None) -> Array:
    """The operations of answers as they were spent, from the fields of ANSWERS, a row each: what was read for
    each alone, as far as that is known.
    """
    whole = pl.col("tokens_in").fill_null(0) + pl.col("tokens_options").fill_null(0)
    read = pl.coalesce("tokens_read", whole)
    told = answers.select(
        whole.alias("whole"), read.alias("read"), pl.col("tokens_out").fill_null(0).alias("out")
    )
    whole_, read_, out = (told[name].to_numpy().astype(float) for name in ("whole", "read", "out"))
    return _operations(size, np.maximum(whole_ - read_, 0), read_ + out)


class Requests(NamedTuple):
    """The requests of choices, a row each, and what the choices of a row share."""

    row: NDArray[np.int64]  # number of the choice
    samples: Sequence[Sequence[Sequence[int]] | None]  # that it is about, slot by slot
    effort: Effort
    shared: Effort  # of each choice: what all its prompts begin with


def requests(choices: pl.DataFrame, size: Size | None) -> Requests:
    """The requests behind `choices`, rows as of choices.parquet, that a model of this size answered."""
    unasked = pl.col("answers").list.len().fill_null(0) == 0
    told = choices.select(
        pl.int_range(pl.len()).alias("row"),
        pl.when(unasked).then(0.0).otherwise("tokens_own").cast(pl.Float64).alias("own"),
        pl.when(unasked).then(0.0).otherwise("tokens_alone").cast(pl.Float64).alias("alone"),
        "answers",
    )
    each = (
        told.explode("answers", empty_as_null=False)
        .drop_nulls("answers")
        .unnest("answers")
        .with_columns(
            (pl.col("tokens_in") + pl.col("tokens_options")).cast(pl.Float64).alias("whole"),
            pl.col("tokens_own").cast(pl.Float64),
            pl.col("tokens_out").cast(pl.Float64),
        )
    )
    whole, read, out = (each[name].to_numpy().astype(float) for name in ("whole", "tokens_own", "tokens_out"))
    operations = _operations(size, whole - read, read + out)
    row, count = each["row"].to_numpy(), told.height
    before = (told["alone"] - told["own"]).to_numpy().astype(float)
    shared = told["own"].to_numpy().astype(float) - _sums(row, read, count)
    begun = _operations(size, np.zeros(count), before)
    together = _operations(size, before, shared)
    return Requests(
        row,
        each["samples"].to_list(),
        Effort(read, read, out, operations, operations),
        Effort(shared, shared + before, np.zeros(count), together, together + begun),
    )


def _sums(row: NDArray[np.int64], values: Array, count: int) -> Array:
    return np.bincount(row, values, count).astype(np.float64)


def whole(asked: Requests) -> Effort:
    """What each choice takes with all its requests, [choices]."""
    count = len(asked.shared.read)
    return Effort(*(_sums(asked.row, each, count) for each in asked.effort)) + asked.shared


def costs(choices: pl.DataFrame, sizes_: Mapping[str, Size | None]) -> pl.DataFrame:
    """The operations of a choice, a mean, in each k and way of `choices` in which a model was asked: without
    demonstrations (`operations`), and with them (`operations_alone`).
    """
    rows = []
    for (k, *way), cell in distinct(choices).group_by("k", *WAY, maintain_order=True):
        if cell["answers"].list.len().sum():
            took = whole(requests(cell, sizes_.get(str(way[1]))))
            rows.append((k, *way, took.operations.mean(), took.operations_alone.mean()))
    schema: dict[str, Any] = {
        **choices.select("k", *WAY).schema,
        "operations": pl.Float64,
        "operations_alone": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None)


def by_size(asked: Requests, forms: Sequence[Forms], n: int, undecided: bool) -> Effort:
    """What each choice takes where any j of its n candidates are chosen among, [choices, sizes(n)]."""
    any_ = np.ones((len(forms), len(sizes(n))))
    any_[:, 0] = 0.0
    if undecided:
        any_ = np.array([split_up(np.array(list(dict(each.values()).values()), int), n) for each in forms])
    return by_chance(asked, needed(_about(asked, forms), n, undecided), any_)


def by_chance(asked: Requests, chance: Array, any_: Array) -> Effort:
    """What each choice takes, [choices, many], where each of its requests is made with a probability,
    `chance` [requests, many], and any at all with `any_` [choices, many].
    """
    count, columns = len(any_), range(any_.shape[1])
    sums = Effort(
        *(
            np.stack([_sums(asked.row, each * chance[:, j], count) for j in columns], axis=1)
            for each in asked.effort
        )
    )
    return sums + Effort(*(each[:, None] * any_ for each in asked.shared))


def _about(asked: Requests, forms: Sequence[Forms]) -> About:
    found = []
    for choice, about in zip(asked.row, asked.samples, strict=True):
        slots = about or [[]]
        first, second = set(slots[0]), set(slots[1]) if len(slots) == 2 else set()
        either = first | second
        known = {forms[int(choice)].get(sample) for sample in either}
        alike = known.pop() if len(known) == 1 else None
        found.append((len(first), len(second), len(either), alike[1] if alike else 0))
    return About(*np.array(found, dtype=np.int64).reshape(-1, 4).T)


def drawing(candidates: pl.DataFrame, n: int, size: Size | None) -> Effort:
    """What drawing any j of the first n candidates takes, [questions, sizes(n)]: the prompt once, and what is
    written for each; nothing where a prompt was not sent. `candidates` are rows of candidates.parquet, those
    of a question by sample.
    """
    told = (
        candidates.filter(pl.col("sample") < n)
        .select("question_id", "answers")
        .explode("answers", empty_as_null=False)
        .drop_nulls("answers")
        .unnest("answers")
        .with_columns(pl.col("tokens_in", "tokens_own", "tokens_out").cast(pl.Float64))
    )
    first, out = told["tokens_in"].to_numpy().astype(float), told["tokens_out"].to_numpy().astype(float)
    told = told.with_columns(pl.Series("writing", _operations(size, first, out)))
    summed = told.group_by("question_id").agg(
        pl.col("tokens_in").first(),
        pl.col("tokens_own").first(),
        *(
            pl.when(pl.col(name).is_null().any()).then(None).otherwise(pl.col(name).sum() / n).alias(name)
            for name in ("tokens_out", "writing")
        ),
    )
    questions = candidates.select(pl.col("question_id").unique(maintain_order=True))
    each = questions.join(summed, on="question_id", how="left", maintain_order="left")
    # Of pools from elsewhere nothing is known of what they took.
    if told.height:
        asked = pl.col("question_id").is_in(summed["question_id"].implode())
        each = each.with_columns(pl.when(asked).then(pl.exclude("question_id")).otherwise(0.0).name.keep())
    prompt, own, written, writing = (
        each[name].to_numpy().astype(float)[:, None]
        for name in ("tokens_in", "tokens_own", "tokens_out", "writing")
    )
    many = np.array(sizes(n), dtype=float)
    mine, begun = (
        _operations(size, prompt - own, own),
        _operations(size, np.zeros_like(prompt), prompt - own),
    )
    ones = np.ones_like(many)
    return Effort(
        own * ones, prompt * ones, written * many, mine + writing * many, mine + begun + writing * many
    )
