"""What ways of choosing score and take, question by question, for each number of candidates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from selfincorrect.columns import WAY
from selfincorrect.discriminate.selectors.centroid import by_form, similarities
from selfincorrect.engines.size import Size
from selfincorrect.measure import adaptive
from selfincorrect.measure.best_of import best_of, compared_of, majority_of, sizes
from selfincorrect.measure.intervals import Array
from selfincorrect.measure.readings import chances
from selfincorrect.report import effort
from selfincorrect.report.behind import Behind, behind
from selfincorrect.report.effort import Effort, Forms

SPLIT = (0.5, 0.75)  # shares of the votes: where the leading answer has less, a model is asked


class Kinds(NamedTuple):
    """Variants by what is known of them: whose scores of a candidate are its own, are shares of `votes`,
    means over comparisons of each with each, or `central`, mean similarities; those that ask about
    `undecided` questions alone; and those that rank others, with these, their `parts`.
    """

    pointwise: Sequence[str]
    votes: Sequence[str]
    compared: Sequence[str]
    central: Sequence[str]
    undecided: Sequence[str]
    parts: Mapping[str, Sequence[str]]


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

    def of(self, names: NDArray[Any]) -> "Curve":
        """The curve on those of its questions that are among `names`, in their order."""
        [rows] = np.nonzero(np.isin(self.names, names))
        rows = rows[np.argsort(self.names[rows])]
        return self._replace(
            names=self.names[rows],
            clusters=self.clusters[rows],
            scores=self.scores[rows],
            effort=Effort(*(each[rows] for each in self.effort)),
        )


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
    known = items.filter(
        pl.col("grades").list.eval(pl.element().is_not_null()).list.all(),
        pl.col("chosen_grade").is_not_null(),  # no server failed
    )
    for (model, task), mine in known.group_by("model", "task", maintain_order=True):
        pool, last = pools[str(model), str(task)], int(mine["k"].max())  # type: ignore[arg-type]
        drawn = effort.drawing(pool.candidates, last, models.get(str(model)))
        names = pool.candidates["question_id"].unique(maintain_order=True)
        place = dict(zip(names, range(len(names)), strict=True))
        for (k, variant, by), cell in mine.group_by("k", *WAY, maintain_order=True):
            n = int(str(k))
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
            choices = pool.choices.filter(pl.col("k") == n)
            ways = [(str(variant), by)]
            if str(variant) in kinds.parts:
                ranked = pl.col("variant").is_in(list(kinds.parts[str(variant)]))
                ways = choices.filter(ranked).select(WAY).unique(maintain_order=True).rows()
            took = Effort(*(each[[place[name] for name in cell["question_id"]]] for each in drawn))
            made = _Cell(about, cell, behind(choices, ways, cell, models), pool, kinds, took, sizes(last))
            yield from made.curves() if n == last else made.asked()


class _Cell(NamedTuple):
    """One way of choosing among the same number of candidates: the choices that it rests on, and what drawing
    so `many` candidates takes.
    """

    about: Curve
    items: pl.DataFrame
    behind: Sequence[Behind]
    pool: Pool
    kinds: Kinds
    drawn: Effort
    many: Sequence[int]

    def curves(self) -> Iterator[Curve]:
        """The cell's curves for any number of candidates where they are known, else what was asked."""
        variant, kinds = self.about.variant, self.kinds
        if variant in kinds.votes:
            yield from self._votes()
        elif variant in kinds.central:
            yield self._curve(self._nearest())
        elif variant in kinds.pointwise and not self.items["scores"].null_count():
            pairs = self.items.select("scores", "grades").iter_rows()
            yield self._curve([best_of(*pair) for pair in pairs])
            if self._paid():
                yield from self._split()
        elif variant in kinds.compared and (chance := self._chances()):
            yield self._curve(self._compared(chance))
        else:
            yield from self.asked()

    def asked(self) -> Iterator[Curve]:
        """The cell as it was asked: one number of candidates."""
        took = Effort(
            *(_between(each, self.many, np.full((len(each), 1), self.about.n)) for each in self.drawn)
        )
        for each in self._paid():
            whole = effort.whole(effort.requests(*each))
            took = took + self._shared(Effort(*(part[:, None] for part in whole)))
        score = self.items["chosen_grade"].to_numpy()[:, None]
        yield self.about._replace(many=(self.about.n,), scores=score, effort=took, exact=False)

    def _curve(self, values: Sequence[Array]) -> Curve:
        took = self.drawn
        undecided = self.about.variant in self.kinds.undecided
        for each in self._paid():
            choosing = effort.by_size(effort.requests(*each), self._forms(), self.about.n, undecided)
            took = took + self._shared(choosing)
        return self.about._replace(many=self.many, scores=np.array(values), effort=took)

    def _votes(self) -> Iterator[Curve]:
        forms, grades = self._named(), self.items["grades"].to_list()
        yield self._curve([majority_of(*pair) for pair in zip(forms, grades, strict=True)])
        told = [adaptive.stopped(*pair) for pair in zip(forms, grades, strict=True)]
        yield self._replayed(f"stop {adaptive.DECIDED:g}", told)

    def _split(self) -> Iterator[Curve]:
        """Votes, and the cell's own choice where they are split."""
        forms = self._named()
        grades, scores = (self.items[name].to_list() for name in ("grades", "scores"))
        for share in SPLIT:
            rows = zip(forms, grades, scores, strict=True)
            told = [adaptive.split(form, grade, score, share) for form, grade, score in rows]
            curve = self._replayed(f"split {share:g}", told)
            for each in self._paid():
                made = effort.requests(*each)
                chance = np.zeros((len(made.row), len(curve.many)))
                for item, form in enumerate(forms):
                    [mine] = np.nonzero(made.row == item)
                    slots = [made.samples[request] or [[]] for request in mine.tolist()]
                    chance[mine] = adaptive.needed_where_split(form, slots, share)
                any_ = np.array([replayed.asked for replayed in told])
                took = self._shared(effort.by_chance(made, chance, any_))
                curve = curve._replace(effort=curve.effort + took)
            yield curve

    def _replayed(self, rule: str, told: Sequence[adaptive.Replayed]) -> Curve:
        """What a rule scores, and what the candidates that it draws take."""
        score, drawn = (np.array([each[part] for each in told]) for part in range(2))
        took = Effort(*(_between(each, self.many, drawn) for each in self.drawn))
        return self.about._replace(rule=rule, many=adaptive.allowed(self.about.n), scores=score, effort=took)

    def _compared(self, chance: Sequence[Array]) -> list[Array]:
        return [compared_of(*pair) for pair in zip(chance, self.items["grades"].to_list(), strict=True)]

    def _chances(self) -> list[Array]:
        """How probably each candidate is preferred to each; nothing where a comparison is missing."""
        found = []
        for how, readings in zip(
            self.items["how"], self.behind[0].choices["readings"].to_list(), strict=True
        ):
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

    def _paid(self) -> list[Behind]:
        """The choices that a model was asked for, which take something."""
        return [each for each in self.behind if each.asked]

    def _shared(self, took: Effort) -> Effort:
        """What an item takes: items that share a choice share what it took."""
        together = self.items.select(pl.len().over("asked"))["len"].to_numpy()[:, None]
        return Effort(*(each / together for each in took))


def _between(values: Array, many: Sequence[int], drawn: Array) -> Array:
    """What is known for some numbers of candidates, [items, many], at others, [items, wanted]."""
    return np.array([np.interp(wanted, many, row) for wanted, row in zip(drawn, values, strict=True)])
