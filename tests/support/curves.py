"""One question whose candidates' worth a scripted model tells: its files, as curves are made from them."""

import polars as pl

from selfincorrect.columns import WAY
from selfincorrect.config.check.experiment import check
from selfincorrect.config.page_slices import tables
from selfincorrect.discriminate.choices import SCHEMA, choice_rows
from selfincorrect.discriminate.requests import discriminations
from selfincorrect.engines.requests import Response, accounted
from selfincorrect.engines.size import Size
from selfincorrect.models.answers import ANSWERS
from selfincorrect.report.curves import Kinds, Pool
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


def kinds_of(options, **more):
    """The kinds of one variant, `alone`, as the tables' slice of a configuration tells them."""
    models, variants = (
        {"m": {"source": "a/b", "revision": "main", "prompt": "chat"}},
        {"alone": options, **more},
    )
    told = tables(check({"models": models, "tasks": {"capitals": {}}, "variants": variants, "k": [4]}))
    return KINDS._replace(undecided=told["undecided"], parts=told["parts"])
