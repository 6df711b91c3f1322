"""What ways of choosing score and take, question by question, for each number of candidates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.columns import WAY
from selfincorrect.discriminate.choices import distinct
from selfincorrect.discriminate.selectors.centroid import by_form, similarities
from selfincorrect.engines.size import Size
from selfincorrect.measure import adaptive
from selfincorrect.measure.best_of import best_of, compared_of, majority_of, sizes
from selfincorrect.measure.intervals import Array
from selfincorrect.measure.readings import chances
from selfincorrect.report import effort
from selfincorrect.report.effort import Effort, Forms

SPLIT = (0.5, 0.75)  # shares of the votes: where the leading answer has less, a model is asked


class Kinds(NamedTuple):
    """Variants by what is known of them: whose scores of a candidate are its own, are shares of `votes`,
    means over comparisons of each with each, or `central`, mean similarities; and those that ask about
    `undecided` questions alone.
    """

    pointwise: Sequence[str]
    votes: Sequence[str]
    compared: Sequence[str]
    central: Sequence[str]
    undecided: Sequence[str]


class Pool(NamedTuple):
    """The files of one model and task: rows of candidates (with text), grades and choices."""

    candidates: pl.DataFrame
    grades: pl.DataFrame
    choices: pl.DataFrame


class Curve(NamedTuple):
    """What one way scores and takes where it is given any of `many` candidates; arrays are [items, many].

    `names` are the questions. `rule` says how it goes on, "" where all is asked that its variant asks.
    `exact` says that it is given all subsets of the pool, or seeded ones, instead of its first candidates.
    """

    model: str
    task: str
    variant: str
    discriminator: str | None
    rule: str
    many: Sequence[int]
    n: int
    names: NDArray[Any]
    clusters: NDArray[Any]
    scores: Array
    effort: Effort
    exact: bool = True


def curves(
    items: pl.DataFrame,
    pools: Mapping[tuple[str, str], Pool],
    kinds: Kinds,
    models: Mapping[str, Size | None],
) -> Iterator[Curve]:
    """The curves of every way of choosing, from rows of per_question.

    At the largest k of a model and task those that are known for any number of candidates; of others what was
    asked, at each k. Items whose candidates do not all have grades are left out.
    """
    found = list(_each(items, pools, kinds, models))
    whole = {each[:4] for each in found if each.exact}
    points: dict[tuple[Any, ...], list[Curve]] = {}
    for curve in found:
        if not curve.exact and curve[:4] not in whole:
            points.setdefault(curve[:4], []).append(curve)
    for curve in found:
        if curve.exact:
            yield curve
        elif curve[:4] in points:
            yield from _together(points.pop(curve[:4]))


def _together(points: Sequence[Curve]) -> list[Curve]:
    """What was asked at several k as one curve, where it is about the same items."""
    ordered = sorted(points, key=lambda each: each.n)
    if any(not np.array_equal(each.names, ordered[0].names) for each in ordered):
        return ordered
    efforts = zip(*(each.effort for each in ordered), strict=True)
    return [
        ordered[-1]._replace(
            many=[each.n for each in ordered],
            scores=np.concatenate([each.scores for each in ordered], axis=1),
            effort=Effort(*(np.concatenate(each, axis=1) for each in efforts)),
        )
    ]


def _each(
    items: pl.DataFrame,
    pools: Mapping[tuple[str, str], Pool],
    kinds: Kinds,
    models: Mapping[str, Size | None],
) -> Iterator[Curve]:
    """The curves of each cell by itself."""
    known = items.filter(pl.col("grades").list.eval(pl.element().is_not_null()).list.all())
    known = known.with_columns((pl.col("k") == pl.col("k").max().over("model", "task")).alias("last"))
    for (model, task, k), target in known.group_by("model", "task", "k", maintain_order=True):
        pool = pools[str(model), str(task)]
        n, size = int(str(k)), models.get(str(model))
        drawn = effort.drawing(pool.candidates, n, size)
        names = pool.candidates["question_id"].unique(maintain_order=True)
        place = dict(zip(names, range(len(names)), strict=True))
        for (variant, by), cell in target.group_by(WAY, maintain_order=True):
            table = _choices(pool.choices, n, variant, by, cell)
            about = Curve(
                model=str(model),
                task=str(task),
                variant=str(variant),
                discriminator=by,
                rule="",
                many=(),
                n=n,
                names=cell["question_id"].to_numpy(),
                clusters=cell["cluster"].to_numpy(),
                scores=np.zeros((0, 0)),
                effort=effort.nothing((0, 0)),
            )
            mine = Effort(*(each[[place[name] for name in cell["question_id"]]] for each in drawn))
            made = _Cell(about, cell, table, pool, kinds, models.get(str(by)), mine)
            yield from made.curves() if cell["last"].item(0) else made.asked()


def _choices(choices: pl.DataFrame, k: int, variant: Any, by: Any, cell: pl.DataFrame) -> pl.DataFrame:
    """The choices behind the items of a cell, a row each."""
    mine = distinct(
        choices.filter(
            (pl.col("k") == k) & (pl.col("variant") == variant) & pl.col("discriminator").eq_missing(by)
        )
    )
    return cell.select(pl.col("asked")).join(
        mine.select("asked", "readings", "tokens_own", "tokens_alone", "answers"),
        on="asked",
        how="left",
        maintain_order="left",
    )


class _Cell(NamedTuple):
    """One way of choosing among the same number of candidates, with what drawing these takes."""

    about: Curve
    items: pl.DataFrame
    choices: pl.DataFrame
    pool: Pool
    kinds: Kinds
    size: Size | None
    drawn: Effort

    def curves(self) -> Iterator[Curve]:
        """The cell's curves for any number of candidates where they are known, else what was asked."""
        variant, kinds = self.about.variant, self.kinds
        if variant in kinds.votes:
            yield from self._votes()
        elif variant in kinds.central:
            yield self._curve(self._nearest())
        elif variant in kinds.pointwise and not self.items["scores"].null_count():
            pairs = self.items.select("scores", "grades").iter_rows()
            curve = self._curve([best_of(*pair) for pair in pairs])
            yield curve
            if self._asks():
                yield from self._split(curve)
        elif variant in kinds.compared and (chance := self._chances()):
            yield self._curve(self._compared(chance))
        else:
            yield from self.asked()

    def asked(self) -> Iterator[Curve]:
        """The cell as it was asked: one number of candidates."""
        kept = self.items["chosen_grade"].is_not_null()
        if not kept.any():
            return
        score = self.items["chosen_grade"].to_numpy()[:, None]
        took = Effort(*(each[:, -1:] for each in self.drawn))
        if self._asks():
            whole = effort.whole(effort.requests(self.choices, self.size))
            took = took + self._shared(Effort(*(each[:, None] for each in whole)))
        rows = kept.to_numpy()
        yield self.about._replace(
            many=(self.about.n,),
            names=self.about.names[rows],
            clusters=self.about.clusters[rows],
            scores=score[rows],
            effort=Effort(*(each[rows] for each in took)),
            exact=False,
        )

    def _curve(self, values: Sequence[Array]) -> Curve:
        took = self.drawn
        if self._asks():
            undecided = self.about.variant in self.kinds.undecided
            choosing = effort.by_size(
                effort.requests(self.choices, self.size), self._forms(), self.about.n, undecided
            )
            took = took + self._shared(choosing)
        return self.about._replace(many=sizes(self.about.n), scores=np.array(values), effort=took)

    def _votes(self) -> Iterator[Curve]:
        forms, grades = self._named(), self.items["grades"].to_list()
        yield self._curve([majority_of(*pair) for pair in zip(forms, grades, strict=True)])
        told = [adaptive.stopped(*pair) for pair in zip(forms, grades, strict=True)]
        yield self._replayed(f"stop {adaptive.DECIDED:g}", told, None)

    def _split(self, curve: Curve) -> Iterator[Curve]:
        """Votes, and the cell's own choice where they are split."""
        forms = self._named()
        grades, scores = (self.items[name].to_list() for name in ("grades", "scores"))
        for share in SPLIT:
            rows = zip(forms, grades, scores, strict=True)
            told = [adaptive.split(form, grade, score, share) for form, grade, score in rows]
            yield self._replayed(f"split {share:g}", told, curve)

    def _replayed(self, rule: str, told: Sequence[adaptive.Replayed], curve: Curve | None) -> Curve:
        """What a rule comes to: the candidates that it draws, and of `curve`'s choices those it asks for."""
        many = adaptive.allowed(self.about.n)
        columns = [sizes(self.about.n).index(j) for j in many]
        score, drawn, asked = (np.array([each[part] for each in told]) for part in range(3))
        whole = Effort(*(_between(each, sizes(self.about.n), drawn) for each in self.drawn))
        if curve is not None:
            choosing = Effort(*(a - b for a, b in zip(curve.effort, self.drawn, strict=True)))
            whole = whole + Effort(*(each[:, columns] * asked for each in choosing))
        return self.about._replace(rule=rule, many=many, scores=score, effort=whole)

    def _compared(self, chance: Sequence[Array]) -> list[Array]:
        return [compared_of(*pair) for pair in zip(chance, self.items["grades"].to_list(), strict=True)]

    def _chances(self) -> list[Array]:
        """How probably each candidate is preferred to each; nothing where a comparison is missing."""
        found = []
        for how, readings in zip(self.items["how"], self.choices["readings"].to_list(), strict=True):
            chance = chances(readings or [], self.about.n)
            chance = np.full_like(chance, 0.5) if how == "decided" else chance
            if np.isnan(chance[~np.eye(len(chance), dtype=bool)]).any():
                return []
            found.append(chance)
        return found

    def _nearest(self) -> list[Array]:
        """The choice of what is most like the others: a vote where normal forms are compared."""
        texts, grades = self._by_question(self.pool.candidates, "text"), self.items["grades"].to_list()
        return [
            majority_of(forms, worth) if by_form(forms) else compared_of(similarities(forms, said), worth)
            for forms, said, worth in zip(self._named(), texts, grades, strict=True)
        ]

    def _named(self) -> list[list[str | None]]:
        """The normal forms of the candidates of each item, by sample."""
        return self._by_question(self.pool.grades, "extracted")

    def _by_question(self, table: pl.DataFrame, column: str) -> list[list[str | None]]:
        kept = table.filter(pl.col("sample") < self.about.n).sort("question_id", "sample")
        found = dict(kept.group_by("question_id", maintain_order=True).agg(column).iter_rows())
        return [found[question] for question in self.items["question_id"]]

    def _forms(self) -> list[Forms]:
        found: list[Forms] = []
        for forms in self._named():
            names = {form: number for number, form in enumerate(dict.fromkeys(forms)) if form is not None}
            counts = {form: forms.count(form) for form in names}
            found.append({s: (names[f], counts[f]) for s, f in enumerate(forms) if f is not None})
        return found

    def _asks(self) -> bool:
        return bool(self.choices["answers"].list.len().sum())

    def _shared(self, took: Effort) -> Effort:
        """What an item takes: items that share a choice share what it took."""
        together = self.items.select(pl.len().over("asked"))["len"].to_numpy()[:, None]
        return Effort(*(each / together for each in took))


def _between(values: Array, many: Sequence[int], drawn: Array) -> Array:
    """What is known for some numbers of candidates, [items, many], at others, [items, wanted]."""
    return np.array([np.interp(wanted, many, row) for wanted, row in zip(drawn, values, strict=True)])
