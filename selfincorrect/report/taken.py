"""What was drawn and asked in a run, read a model and task at a time: its curves, and its account."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from selfincorrect.columns import WAY
from selfincorrect.engines.manifest import Manifest
from selfincorrect.engines.size import size_of
from selfincorrect.io import read_json
from selfincorrect.report import effort
from selfincorrect.report.accounting import accounting, answers_of
from selfincorrect.report.curves import Curve, Kinds, Pool, curves
from selfincorrect.report.tables import Pair

DRAWN = ["question_id", "sample", "text", "answers"]
ASKED = ["question_id", "asked", "k", *WAY, "readings", "tokens_own", "tokens_alone", "answers"]


class Taken(NamedTuple):
    """Models and tasks that are measured, judged and refined, kinds of variants, `parameters` of models."""

    pairs: Sequence[Pair]
    judged: Sequence[Pair]
    refined: Sequence[Pair]
    kinds: Kinds
    parameters: Mapping[str, float]


def taken(
    inputs: Any,
    about: Taken,
    items: pl.DataFrame,
    grades: Mapping[Pair, pl.DataFrame],
    prices: Mapping[str, Mapping[str, float]],
) -> tuple[list[Curve], pl.DataFrame, pl.DataFrame]:
    """The curves of all ways of choosing, what each takes as `effort.costs` has it, with `model` and `task`,
    and rows of `accounting.COLUMNS`.

    `inputs` are paths: of `candidates` and `choices`, as many for each pair, of `judgements`, of `rounds` and
    `preferences`, one for each pair that has them, and of `manifests`.
    """
    manifests = [Manifest.model_validate(read_json(path)) for path in inputs.manifests]
    models = {each.name: size_of(each, about.parameters.get(each.name)) for each in manifests}
    many, found = len(inputs.choices) // max(len(about.pairs), 1), list[Curve]()
    costs: list[pl.DataFrame] = []
    drawn, judged, asked, refined = (list[pl.DataFrame]() for _ in range(4))
    for place, (model, task) in enumerate(about.pairs):
        pool = Pool(
            pl.read_parquet(inputs.candidates[place], columns=DRAWN),
            grades[model, task],
            pl.read_parquet(inputs.choices[place * many : (place + 1) * many], columns=ASKED),
        )
        drawn.append(answers_of(_by(pool.candidates, model), task, "generate"))
        asked.append(
            answers_of(pool.choices.rename({"discriminator": "model"}).select(_GAVE), task, "discriminate")
        )
        mine = items.filter((pl.col("model") == model) & (pl.col("task") == task))
        costs.append(effort.costs(pool.choices, models).with_columns(model=pl.lit(model), task=pl.lit(task)))
        found += curves(mine, {(model, task): pool}, about.kinds, models)
    for (_, task), path in zip(about.judged, inputs.judgements, strict=True):
        told = pl.read_parquet(path, columns=["judge", "answers"]).rename({"judge": "model"})
        judged.append(answers_of(told, task, "judge"))
    for table in (inputs.rounds, inputs.preferences):
        for (model, task), path in zip(about.refined, table, strict=True):
            refined.append(answers_of(_by(pl.read_parquet(path, columns=["answers"]), model), task, "refine"))
    return found, pl.concat(costs), accounting([*drawn, *judged, *asked, *refined], models, prices)


_GAVE = ("model", "answers")


def _by(table: pl.DataFrame, model: str) -> pl.DataFrame:
    return table.select(pl.lit(model).alias("model"), "answers")
