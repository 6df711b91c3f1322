"""Whatever of the package a stage calls while it runs, an edit of it changes the stage's digest."""

import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

import selfincorrect
from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
from selfincorrect.config.code_digest import reached
from selfincorrect.discriminate import stage as discriminate
from selfincorrect.engines.scripted import ScriptedEngine
from selfincorrect.generate import stage as generate
from selfincorrect.grade import stage as grade
from selfincorrect.models.ask import OpenedModel, rank
from selfincorrect.models.store import ResponseStore
from selfincorrect.refine import stage as refine
from selfincorrect.tasks.questions import load_questions, question_table
from selfincorrect.tasks.registry import get_task
from tests.conftest import SCRIPT

PACKAGE = Path(selfincorrect.__file__).parent
ENGINE = "engines.scripted"
SELECTORS = ("choose", "score", "majority")


def called(function, *arguments):
    """What `function` returns, and the dotted names of the package's functions and classes that it ran."""
    names = set()

    def note(frame, event, _):
        code = frame.f_code
        path = Path(code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE) and not code.co_qualname.startswith("<"):
            module = ".".join(["selfincorrect", *path.relative_to(PACKAGE).with_suffix("").parts])
            names.add((module, f"{module}.{code.co_qualname.split('.')[0]}"))

    sys.setprofile(note)
    try:
        return function(*arguments), names
    finally:
        sys.setprofile(None)


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """What each stage called on a scripted model, by the stage's root."""
    folder = tmp_path_factory.mktemp("stages")
    rules = [*SCRIPT["rules"], {"match": ".", "answers": ["5", "6", "7"]}]
    (folder / "script.yaml").write_text(yaml.safe_dump({"rules": rules}))
    scripted = {"source": str(folder / "script.yaml"), "prompt": "completion", "engine": "scripted"}
    variants = {"full": {}, "easy": {"distractors": "easy"}, "text": {"answer": "text"}}
    variants |= {"score": {"selector": "score"}, "majority": {"selector": "majority"}}
    config = check(
        {
            "models": {"m": scripted, "judge": {**scripted, "tasks": []}},
            "tasks": {"capitals": {"limit": 4}},
            "k": [2, 4],
            "variants": variants,
            "refinement": {"rounds": 1},
        }
    )
    store = ResponseStore(folder / "store", rank)
    model = OpenedModel(
        "m", "digest", "completion", None, store, lambda: ScriptedEngine(folder / "script.yaml", 4), {}
    )
    task = get_task("capitals")
    dataset = question_table(load_questions(task, next(iter(task.SOURCES.values()))))
    settings = generate.Settings(**slices.generate(config, "m", "capitals"))
    pool, generated = called(generate.run, dataset, "capitals", model, settings)
    grades, graded = called(grade.run, dataset, pool, None, "capitals", grade.Settings())
    settings = discriminate.Settings(**slices.discriminate(config, "m", "capitals", "m"))
    asked, chosen = called(discriminate.run, dataset, pool, grades, "capitals", model, settings)
    settings = discriminate.SelectSettings(**slices.select(config, "m", "capitals"))
    choices, selected = called(discriminate.select, dataset, pool, grades, asked, "capitals", settings)
    refining = refine.Settings(**slices.refine(config, "m", "capitals"))
    _, refined = called(refine.run, dataset, pool, "capitals", model, refining)
    assert {k: table.height for k, table in choices.items()} == {2: 20, 4: 20}
    assert pl.Series(grades["grade"]).null_count() == 0
    return {
        "generate.stage.run": generated,
        "grade.stage.run": graded,
        "discriminate.stage.run": chosen,
        "discriminate.stage.select": selected,
        "refine.stage.run": refined,
    }


@pytest.mark.parametrize(
    "root",
    [
        "generate.stage.run",
        "grade.stage.run",
        "discriminate.stage.run",
        "discriminate.stage.select",
        "refine.stage.run",
    ],
)
def test_everything_that_a_stage_calls_is_reached(stages, root):
    chosen = [f"discriminate.selectors.{name}" for name in SELECTORS] if root != "generate.stage.run" else []
    names = reached(root, ENGINE, *chosen, task="capitals")
    assert len(stages[root]) > 10
    assert {name for module, name in stages[root] if name not in names and module not in names} == set()


def test_what_no_stage_calls_is_not_reached():
    names = reached("generate.stage.run", ENGINE, task="capitals")
    for other in (
        "tasks.capitals.load",
        "tasks.capitals.GRADINGS",
        "tasks.gsm8k.trim",
        "discriminate.parse.parse_choice",
    ):
        assert f"selfincorrect.{other}" not in names, other
