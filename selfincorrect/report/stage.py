"""Rule tables: everything over all cells."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from selfincorrect.columns import WAY, schema_of
from selfincorrect.discriminate.selectors import registry
from selfincorrect.measure.columns import GRADED, METRICS
from selfincorrect.report import tables as made
from selfincorrect.report.accounting import COLUMNS as ACCOUNTING
from selfincorrect.report.best_of import COLUMNS as BEST_OF
from selfincorrect.report.best_of import best_of_table
from selfincorrect.report.columns import COVERAGE, DIFFERENCES, FLIPS, PASS_AT, SLOTS
from selfincorrect.report.compute import COMPUTE, OVERTAKING, compute_tables
from selfincorrect.report.contrasts import COLUMNS as CONTRASTS
from selfincorrect.report.contrasts import contrasts_table
from selfincorrect.report.curves import Kinds
from selfincorrect.report.difficulty import COLUMNS as DIFFICULTY
from selfincorrect.report.difficulty import difficulty_table
from selfincorrect.report.matrix import COLUMNS as MATRIX
from selfincorrect.report.matrix import matrix_table
from selfincorrect.report.pooled import COLUMNS as POOLED
from selfincorrect.report.pooled import pooled_table
from selfincorrect.report.selectors import AGREEMENT, SELECTORS, agreement_table, selectors_table
from selfincorrect.report.tables import Pair
from selfincorrect.report.taken import Taken, taken
from selfincorrect.report.wanted import Contrast
from selfincorrect.sections import StageSettings

COLUMNS = {
    "metrics": METRICS, "gradings": GRADED, "grading_differences": DIFFERENCES, "pass_at": PASS_AT,
    "slots": SLOTS, "flips": FLIPS, "contrasts": CONTRASTS,
    "pooled": POOLED, "coverage": COVERAGE, "selectors": SELECTORS, "agreement": AGREEMENT,
    "best_of": BEST_OF, "matrix": MATRIX, "difficulty": DIFFICULTY, "compute": COMPUTE,
    "overtaking": OVERTAKING, "accounting": ACCOUNTING,
}  # fmt: skip
CHOSEN = ["question_id", "asked", "k", *WAY, "selector", "order", "orders", "picks", "chosen_sample"]
CHOSEN += ["valid", "how", "calls", "tokens_in", "tokens_own", "tokens_alone", "tokens_out"]
CHOSEN += ["label_mass", "bounded", "readings"]


class Settings(StageSettings):
    """What the tables are told: the order of the configuration; variants that differ in order alone, are
    `knowing` the grades, score candidates `pointwise`, are `verifying` each or `votes`, or have each
    `compared` with each; `contrasts` beside the usual ones; and the `parameters` of models, as far as they
    are known; variants whose score is `central`, or that ask about `undecided` questions alone, and those
    that rank others, with their `parts`; the pairs that are `judged` and `refined`; and `prices`.
    """

    seed: int

    models: list[str]
    tasks: list[str]
    k: list[int]
    variants: list[str]
    pairs: list[Pair]
    reordered: list[tuple[str, str]]
    knowing: list[str]
    pointwise: list[str]
    verifying: list[str]
    votes: list[str]
    compared: list[str]
    contrasts: list[Contrast]
    parameters: dict[str, float]
    central: list[str]
    undecided: list[str]
    parts: dict[str, list[str]]
    judged: list[Pair]
    refined: list[Pair]
    prices: dict[str, dict[str, float]]

    @property
    def kinds(self) -> Kinds:
        return Kinds(self.pointwise, self.votes, self.compared, self.central, self.undecided, self.parts)


def tables(inputs: Any, settings: Settings) -> dict[str, pl.DataFrame]:
    """Tables by name. `inputs` are the rule's: paths of `metrics`, `gradings` and `per_question`, and, as
    `by_pair` takes them, of `candidates`, `grades` and `choices`; paths of `datasets` as `datasets_of` takes
    them, of `judgements`, `rounds` and `preferences` of the pairs that have them, and of `manifests`.
    """
    pairs = settings.pairs
    grades = {pair: pl.read_parquet(paths) for pair, paths in by_pair(pairs, inputs.grades).items()}
    choices = {
        pair: pl.read_parquet(paths, columns=CHOSEN) for pair, paths in by_pair(pairs, inputs.choices).items()
    }
    datasets = {
        task: pl.read_parquet(path, columns=["question_id", "cluster", "details"])
        for task, path in datasets_of(pairs, inputs.datasets).items()
    }
    metrics, gradings, items = (
        made.in_order(pl.concat(map(pl.read_parquet, paths)), settings.model_dump())
        for paths in (inputs.metrics, inputs.gradings, inputs.per_question)
    )
    standards = [[name] for name in registry.standards()]
    scored = set(metrics.filter(pl.col("unit") == "grade")["task"])
    metrics = made.with_adjusted(metrics).select(list(schema_of(METRICS)))
    told = Taken(settings.pairs, settings.judged, settings.refined, settings.kinds, settings.parameters)
    known, costs, account = taken(inputs, told, items, grades, settings.prices)
    return {
        "metrics": metrics,
        "gradings": gradings,
        "grading_differences": made.differences_table(grades),
        "pass_at": made.pass_table(grades, datasets, scored),
        "slots": made.slots_table(choices),
        "contrasts": contrasts_table(items, standards, registry.uncompared(), settings.contrasts),
        "pooled": pooled_table(metrics, items, registry.uncompared()),
        "coverage": made.coverage_table(items),
        "selectors": selectors_table(metrics, choices, settings.knowing, costs),
        "agreement": agreement_table(
            items, grades, {name: place for place, name in enumerate(settings.variants)}
        ),
        "matrix": matrix_table(metrics, items, settings.verifying),
        "best_of": best_of_table(known),
        **compute_tables(known, settings.knowing, settings.votes, settings.seed),
        "accounting": account,
        "difficulty": difficulty_table(items, datasets, grades, registry.uncompared()),
        "flips": made.flips_table(choices, grades, settings.reordered),
    }


def by_pair(pairs: Sequence[Pair], paths: Sequence[str]) -> dict[Pair, list[str]]:
    """The paths of each pair, given in the order of `pairs`, as many for one as for another."""
    each = len(paths) // max(len(pairs), 1)
    return {pair: list(paths[place * each : (place + 1) * each]) for place, pair in enumerate(pairs)}


def datasets_of(pairs: Sequence[Pair], paths: Sequence[str]) -> dict[str, str]:
    """The path of each task's data set, given in the order in which `pairs` name the tasks first."""
    return dict(zip(dict.fromkeys(task for _, task in pairs), paths, strict=True))
