"""Scripts are adapters: they read, open, call a stage and write."""

import ast

import pytest

from tests.conftest import ROOT

# Rules that draw or gather from many files have more to read.
STAGES = (
    "generate", "discriminate", "refine", "judge", "grade", "import_pool", "select", "measure",
    "prepare_model", "prepare_dataset", "tables",
)  # fmt: skip
SHARED = ("selfincorrect.io", "selfincorrect.jobs", "selfincorrect.models")


@pytest.mark.parametrize("name", STAGES)
def test_a_script_calls_one_stage_and_little_else(name):
    text = (ROOT / "scripts" / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 15
    imported = [node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    others = [each for each in imported if each.startswith("selfincorrect") and not each.startswith(SHARED)]
    assert len(others) <= 1, others
