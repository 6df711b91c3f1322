"""What curves take: every request that any of the candidates would make, and no other."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from selfincorrect.discriminate.choices import SCHEMA
from selfincorrect.models.answers import ANSWERS
from selfincorrect.report import effort
from selfincorrect.report.curves import curves
from tests.support.curves import KINDS, NAMES, SIZE, WAYS, asked_about, files, form, kinds_of, pool_of


@pytest.mark.parametrize("options", [{}, {"ask": "undecided"}, {"distinct": True}])
@pytest.mark.parametrize("selector", ["score", "pairwise"])
def test_requests_are_those_of_all_subsets(selector, options):
    """Identical texts are compared with each other where they are not shown once."""
    names, options = ("Alfa", "Alfa", "Delta", "alfa."), {"selector": selector, **options}
    asked, row = asked_about(pool_of(names), options)
    _, pool = files(row | {"scores": None}, names)
    assert len(set(asked.requests)) == row["calls"]
    made = effort.requests(pool.choices, SIZE)
    each = effort.Effort(*[np.ones(len(made.row))] * 5)
    made = made._replace(effort=each, shared=effort.nothing((1,)))
    forms = [{0: (0, 3), 1: (0, 3), 2: (1, 1), 3: (0, 3)}]
    found = effort.by_size(made, forms, 4, "alone" in kinds_of(options).undecided).read[0]
    for j in range(2, 5):
        subsets = [[names[place] for place in some] for some in combinations(range(4), j)]
        calls = [len(set(asked_about(pool_of(some), options)[0].requests)) for some in subsets]
        assert found[j - 1] == pytest.approx(np.mean(calls)), j


@pytest.mark.parametrize("options", WAYS)
def test_a_model_that_is_asked_where_votes_are_split_is_paid_for_these(options):
    names, options = ("Alfa", "alfa.", "Alfa", "Delta", "Bravo"), {"selector": "score", **options}
    _, row = asked_about(pool_of(names), options)
    items, pool = files(row, names)
    _, half, more = curves(items, {("m", "t"): pool}, kinds_of(options), {"m": SIZE})
    for share, curve in ((0.5, half), (0.75, more)):
        assert curve.rule == f"split {share}"
        for place, j in enumerate(curve.many):
            calls = []
            for some in combinations(names, j):
                votes = max(list(map(form, some)).count(form(name)) for name in some)
                asked, _ = asked_about(pool_of(some), options) if j > 1 else (None, None)
                calls.append(len(set(asked.requests)) if asked and votes < share * j else 0)
            choosing = curve.effort.written[0, place] - j * np.mean(range(5))
            assert choosing == pytest.approx(np.mean(calls)), (share, j)


def test_an_ensemble_takes_what_its_variants_take_each_answer_once():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    vote = dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": 8, "variant": "vote", "scores": [0.4] * 8}
    both = vote | {"variant": "both", "how": "ensemble", "chosen_sample": 2}
    items, pool = files(both)
    told = [row, row | {"variant": "again"}, vote, both]
    pool = pool._replace(choices=pl.DataFrame(told, schema=SCHEMA))
    alone, own = files(row)
    paid, *_ = curves(alone, {("m", "t"): own}, KINDS, {"m": SIZE})
    score, ways = {"selector": "score"}, {"again": {"selector": "score"}, "vote": {"selector": "majority"}}
    for parts in (["alone", "vote"], ["alone", "again"]):
        kinds = kinds_of(score, **ways, both={"selector": "ensemble", "of": parts})
        [curve] = curves(items, {("m", "t"): pool}, kinds, {"m": SIZE})
        assert curve.effort.written[0] == pytest.approx(paid.effort.written[0, -1:])
        assert curve.effort.operations[0] == pytest.approx(paid.effort.operations[0, -1:], rel=0.02)


def test_what_was_asked_of_few_is_paid_as_any_few_are():
    """Of eight candidates that take 0 to 7 tokens, two take 7 on average, though the first two take 1."""
    told = [dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": k, "variant": "other", "chosen_sample": 0}
            for k in (2, 8)]  # fmt: skip
    made = [files(each) for each in told]
    items = pl.concat([each.with_columns(k=pl.lit(k)) for (each, _), k in zip(made, (2, 8), strict=True)])
    pool = made[0][1]._replace(choices=pl.concat([each.choices for _, each in made]))
    [curve] = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    assert list(curve.many) == [2, 8]
    assert curve.effort.written[0] == pytest.approx([7, 28])


def test_a_prompt_that_was_not_sent_takes_nothing_and_hides_nothing():
    _, pool = files(dict.fromkeys(SCHEMA) | {"question_id": "q0", "variant": "vote"})
    unsent = pool.candidates.with_columns(question_id=pl.lit("q1"), answers=pl.lit([], dtype=ANSWERS.kind))
    took = effort.drawing(pl.concat([pool.candidates, unsent]), 8, SIZE)
    assert np.isfinite(took.operations[0]).all()
    assert (took.operations[1] == 0).all()
    assert (took.read[1] == 0).all()
    assert np.isnan(effort.drawing(unsent, 8, SIZE).read).all()  # a pool that tells nothing
