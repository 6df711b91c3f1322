"""Curves over any number of candidates, against what every subset of the pool would score and take."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from selfincorrect.columns import WAY
from selfincorrect.config.check.experiment import check
from selfincorrect.config.page_slices import tables
from selfincorrect.discriminate.asked import Asked, Part, Shown
from selfincorrect.discriminate.choices import SCHEMA, choice_rows, read_for
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Request, Response, accounted
from selfincorrect.engines.size import Size
from selfincorrect.models.answers import ANSWERS
from selfincorrect.report import effort
from selfincorrect.report.best_of import best_of_table
from selfincorrect.report.compute import compute_tables
from selfincorrect.report.curves import Kinds, Pool, curves
from selfincorrect.report.figures import best_of, compute
from selfincorrect.report.worth import amount, worth
from tests.support.scoring import candidates, judge, question, shown, view

KINDS = Kinds(
    ["alone", "likelihood"], ["vote"], ["pairs"], ["nearest"], ["alone"], {"both": ["alone", "vote"]}
)
NAMES = ("Alfa", "alfa.", "Delta", "Bravo", "delta", "Delta", "Alfa", "Charlie")
SIZE = Size(parameters=10, attention=[(None, 3)])
QUALITY = {"alfa": 0.3, "delta": 0.7, "bravo": 0.9, "charlie": 0.1}


def form(name):
    return name.casefold().rstrip(".")


def pool_of(names):
    return [each for name in names for each in candidates(name.rstrip("."))]


def respond(request):
    """Says how good the one answer is that is shown, in one token."""
    if len(shown(request)) > 1:
        return accounted(judge()(request), request.key("m", "completion"))
    text = next(line for line in reversed(request.prompt.query.split("\n")) if line.startswith("Answer: "))
    score = round(10 * QUALITY[form(text.removeprefix("Answer: "))])
    response = Response(f"Score: {score}", request.prompt.text(), "stop", len(request.prompt.text()), 1, None)
    return accounted(response, request.key("m", "completion"))


def asked_about(pool, options):
    asking = view(len(pool), **options)
    [asked] = discriminations([question()], {"q0": pool}, asking)
    responses = [respond(each) for each in asked.requests]
    [row] = choice_rows("alone", asking, {"q0": pool}, [(asked, responses)], discriminator="m")
    return asked, row


def files(row, names=NAMES):
    """The pool of one question, and its row of per_question."""
    graded = [float(form(name) == "delta") for name in names]
    spent = {"tokens_in": 50, "tokens_own": 20, "tokens_options": 0, "tokens_out": 2}
    drawn = pl.DataFrame(
        [
            {"question_id": "q0", "sample": place, "text": name,
             "answers": [{"answer": f"a{place}", **spent, "tokens_out": place}]}
            for place, name in enumerate(names)
        ],
        schema_overrides={"answers": ANSWERS.kind},
    )  # fmt: skip
    grades = pl.DataFrame(
        [{"question_id": "q0", "sample": place, "extracted": form(name)} for place, name in enumerate(names)]
    )
    item = {"model": "m", "task": "t", "k": len(names), **{name: row[name] for name in WAY}}
    item |= dict.fromkeys(("question_id", "cluster", "asked"), "q0")
    item |= {"grades": graded, "scores": row["scores"], "how": row["how"]}
    item |= {"chosen_grade": graded[row["chosen_sample"] or 0]}
    kinds = {"discriminator": pl.String, "scores": pl.List(pl.Float64)}
    items = pl.DataFrame([item], schema_overrides=kinds)
    return items, Pool(drawn, grades, pl.DataFrame([row], schema=SCHEMA))


WAYS = [{}, {"ask": "undecided"}, {"distinct": True}, {"distinct": True, "ask": "undecided"}]


@pytest.mark.parametrize("options", WAYS)
def test_a_pointwise_curve_is_the_mean_over_all_subsets(options):
    options = {"selector": "score", **options}
    _, row = asked_about(pool_of(NAMES), options)
    items, pool = files(row)
    curve, *_ = curves(items, {("m", "t"): pool}, kinds_of(options), {"m": SIZE})
    assert curve.many == tuple(range(1, 9))
    for j in range(2, 9):
        subsets = list(combinations(range(8), j))
        scores, calls = [], []
        for some in subsets:
            asked, chosen = asked_about(pool_of([NAMES[place] for place in some]), options)
            best = chosen["shared"] or [chosen["chosen_sample"]]
            scores.append(np.mean([form(NAMES[some[place]]) == "delta" for place in best]))
            calls.append(len(set(asked.requests)))
        assert curve.scores[0, j - 1] == pytest.approx(np.mean(scores))
        drawn = j * np.mean(range(8))  # tokens of the answers
        assert curve.effort.written[0, j - 1] - drawn == pytest.approx(np.mean(calls))


def kinds_of(options, **more):
    """The kinds of one variant, `alone`, as the tables' slice of a configuration tells them."""
    models, variants = (
        {"m": {"source": "a/b", "revision": "main", "prompt": "chat"}},
        {"alone": options, **more},
    )
    told = tables(check({"models": models, "tasks": {"capitals": {}}, "variants": variants, "k": [4]}))
    return KINDS._replace(undecided=told["undecided"], parts=told["parts"])


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


def test_ends_of_a_curve_are_drawing_one_and_what_was_asked():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    items, pool = files(row)
    curve, *_ = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    drawing = curve.effort
    assert curve.scores[0, 0] == pytest.approx(3 / 8)
    assert (drawing.read[0, 0], drawing.alone[0, 0]) == (20, 50)  # one prompt, nothing to choose
    assert drawing.operations[0, 0] == pytest.approx(
        SIZE.operations(30, 20) + np.mean([SIZE.operations(50, out) for out in range(8)])
    )
    choosing = {name: getattr(drawing, name)[0, -1] for name in ("read", "alone", "written")}
    assert choosing["read"] == pytest.approx(20 + row["tokens_own"])
    assert choosing["alone"] == pytest.approx(50 + row["tokens_alone"])
    assert choosing["written"] == pytest.approx(sum(range(8)) + row["tokens_out"])


def test_of_options_nothing_is_read_that_nothing_follows():
    """ " A" and " B" share a blank; "A", "B" and the last token of " no" are not read."""
    options = (" A", " B", "A", "B", " no")
    request = Request(Prompt("", (), "Which?"), SCORED, None, options)
    answer = Response("", "Which?", "stop", 6, 0, None, option_tokens=(2, 2, 1, 1, 3))
    asked = Asked(question(), (Shown((0,), ("Alfa",), (request,), (Part((0,)),)),), (0,))
    told = read_for(asked, [accounted(answer, "a")])
    assert told["tokens_own"] == 6 + len({" ", " n"})


@pytest.mark.parametrize(("query", "own", "alone"), [(None, 9, 15), (8, 12, 16)])
def test_tokens_of_a_query_are_the_engines_and_within_it_by_characters(query, own, alone):
    """Two prompts of 12 tokens, with half of their characters before the query, and half of that alike."""
    asked = [Request(Prompt("", (), name), SCORED, None) for name in ("aaaZZZ", "aaaYYY")]
    shown = tuple(Shown((0,), ("a",), (each,), (Part((0,)),)) for each in asked)
    said = [
        accounted(Response("", f"Do it.{each.prompt.query}", "stop", 12, 0, None, tokens_query=query), "a")
        for each in asked
    ]
    told = read_for(Asked(question(), shown, (0,)), said)
    assert (told["tokens_own"], told["tokens_alone"]) == (own, alone)


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


def test_a_choice_that_failed_is_in_no_curve():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    (one, pool), (two, _) = files(row), files(row)
    failed = two.with_columns(
        question_id=pl.lit("q1"),
        chosen_grade=pl.lit(None, pl.Float64),
        scores=pl.lit([None] * 8, one.schema["scores"]),
    )
    more = [table.with_columns(question_id=pl.lit("q1")) for table in pool[:2]]
    pool = Pool(*map(pl.concat, zip(pool[:2], more, strict=True)), pool.choices)
    found = list(curves(pl.concat([one, failed]), {("m", "t"): pool}, KINDS, {"m": SIZE}))
    assert all(curve.names.tolist() == ["q0"] for curve in found)


def three(variant, **changed):
    """Choices of one question among three candidates, of which two agree."""
    row = dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": 3, "variant": variant, "how": "scored"}
    return row | {"scores": [0.2, 0.2, 0.9], "chosen_sample": 2} | changed


@pytest.mark.parametrize(
    ("variant", "scores"),
    [
        ("likelihood", [2 / 3, 1 / 3, 0]),  # the wrong answer is the likeliest
        ("vote", [2 / 3, (1 + 0.5 + 0.5) / 3, 1]),
        ("nearest", [2 / 3, (1 + 0.5 + 0.5) / 3, 1]),
        ("other", [1]),  # of what was asked only that is known
    ],
)
def test_each_kind_of_choice_has_its_curve(variant, scores):
    row = three(variant) | ({"chosen_sample": 0} if variant == "other" else {})
    items, pool = files(row, ("Delta", "delta", "Alfa"))
    curve, *_ = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    assert curve.scores[0] == pytest.approx(scores)
    assert curve.exact == (variant != "other")
    assert np.isfinite(curve.effort.operations).all()  # a rule asks nothing


def test_comparisons_have_a_curve_where_all_were_made():
    wins = {(0, 1): 0.5, (0, 2): 0.1, (1, 2): 0.2}
    both = [*wins.items(), *((pair[::-1], 1 - p) for pair, p in wins.items())]
    told = [{"samples": list(pair), "shares": [p, 1 - p]} for pair, p in both]
    for readings, count in ((told, 3), (told[:-1], 1)):
        items, pool = files(three("pairs", readings=readings), ("Delta", "delta", "Alfa"))
        [curve] = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
        assert len(curve.many) == count
    items, pool = files(three("pairs", readings=told), ("Delta", "delta", "Alfa"))
    [curve] = curves(items, {("m", "t"): pool}, KINDS, {"m": SIZE})
    assert curve.scores[0] == pytest.approx([2 / 3, (1 + 0 + 0) / 3, 0])


def test_tables_figures_and_sentences_of_curves():
    _, row = asked_about(pool_of(NAMES), {"selector": "score"})
    told = [row, dict.fromkeys(SCHEMA) | {"question_id": "q0", "k": 8, "variant": "vote", "how": "majority",
            "chosen_sample": 2, "scores": [0.375] * 8}]  # fmt: skip
    made = [files(each) for each in told]
    pool = made[0][1]._replace(choices=pl.concat([each.choices for _, each in made]))
    found = list(curves(pl.concat([each for each, _ in made]), {("m", "t"): pool}, KINDS, {"m": SIZE}))
    assert [curve.rule for curve in found] == ["", "split 0.5", "split 0.75", "", "stop 0.95"]
    tables = compute_tables(found, [], ["vote"], 3)
    first = tables["compute"].filter(pl.col("j") == 1)
    assert first["score"].to_list() == pytest.approx([3 / 8] * 5)
    assert first["operations"].n_unique() == 1
    metrics = pl.DataFrame({"task": ["t"], "unit": ["percent"]})
    figure = compute.draw({"compute": tables["compute"], "metrics": metrics})
    assert len(figure.axes[0].lines) == 6  # five ways and the front
    [line] = worth(tables["compute"], tables["overtaking"])
    assert line.startswith("m on t: most is scored by ")
    table = best_of_table(found)
    assert table["variant"].unique(maintain_order=True).to_list() == ["alone", "vote"]
    drawn = best_of.draw({"best_of": table, "metrics": metrics})
    assert list(drawn.axes[0].lines[0].get_xdata()) == list(range(1, 9))


def test_amounts_are_told_to_three_digits():
    assert amount(1.2345e10, "operations") == "12.3 billion operations"
    assert amount(43.21, "tokens") == "43.2 tokens"
    assert amount(1234, "tokens") == "1,234 tokens"
    assert amount(9.996e8, "operations") == "1 billion operations"
    assert amount(999.7, "tokens") == "1,000 tokens"
