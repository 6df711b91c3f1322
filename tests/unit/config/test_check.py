"""The configuration: wrong ones stop with a message that helps; schema and README say what the code says."""

import copy
import re
import subprocess
import sys

import pytest
import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.errors import UserError
from tests.conftest import ROOT

GOOD = {
    "models": {"m": {"source": "catalog:gemma-3-270m", "prompt": "completion"}},
    "tasks": {"capitals": {}},
    "sampling": {"n": 4},
    "k": [2, 4],
    "variants": {"full": {}},
}
CASES = yaml.safe_load((ROOT / "tests" / "cases" / "bad_configs.yaml").read_text())


def changed(case):
    config = copy.deepcopy(GOOD)
    for key, value in {**case.get("set", {}), **({case["delete"]: None} if "delete" in case else {})}.items():
        # A name in brackets holds dots of its own.
        *parents, last = [part.strip("[]") for part in re.findall(r"\[[^\]]+\]|[^.]+", key)]
        section = config
        for parent in parents:
            section = section.setdefault(parent, {})
        if "delete" in case:
            del section[last]
        else:
            section[last] = value
    return config


def test_good_configurations_pass():
    assert check(GOOD).sampling.temperature == 0.7
    for path in [ROOT / "config.yaml", *(ROOT / "workflow" / "experiments").glob("*.yaml")]:
        check(yaml.safe_load(path.read_text()))


def test_there_are_enough_bad_ones():
    assert len(CASES) >= 25


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.get("set", case.get("delete"))))
def test_bad_configuration(case):
    with pytest.raises(UserError) as caught:
        check(changed(case))
    message = str(caught.value)
    assert message.startswith("The configuration is wrong; no job was started.")
    for words in case["says"]:
        assert words in message, message
    assert "found:" in message
    assert "allowed:" in message
    assert not re.search(r"write: *$", message, re.MULTILINE), "a line to paste, or none"
    assert "never" not in case or case["never"] not in message


@pytest.mark.parametrize(
    ("change", "said", "not_said"),
    [
        (
            {"models": {405: GOOD["models"]["m"]}},
            'the name 405, which is no text in YAML|write:   "405": …',
            "x",
        ),
        ({"variants": {True: {}}}, 'put quotes around the name|write:   "on": …', "x"),
        ({"tasks": {"capitals": {"zebra": 1}}}, "the unknown key 'zebra'", "write:"),
        ({"tasks": {"capitals": {"limt": 1}}}, "write:   limit: …", "x"),
        ({"models": {"m": {**GOOD["models"]["m"], "server": "sk-abcdef123456"}}}, "[hidden]", "abcdef"),
        ({"models": {"m": {**GOOD["models"]["m"], "revision": ["hf_abcdef123456"]}}}, "[hidden]", "abcdef"),
        ({"models": {"Store": GOOD["models"]["m"]}}, "are folders of results/", "x"),
        (
            {"models": {"m": {**GOOD["models"]["m"], "pools": {"capitals": {"path": "x"}}}}},
            "`pools` beside `source`",
            "unknown key",
        ),
    ],
)
def test_hints(change, said, not_said):
    with pytest.raises(UserError) as caught:
        check({**GOOD, **change})
    for words in said.split("|"):
        assert words in str(caught.value)
    assert not_said == "x" or not_said not in str(caught.value)


KEY_URLS = [
    "http://a/v1?api_key=sk-inurl",
    "https://sk-inurl@a/v1",
    "http://a/v1#sk-inurl",
    "http://a\u202eb/v1",
    "ftp://a/v1",
    "http://a/v 1",
]


@pytest.mark.parametrize("url", KEY_URLS)
def test_a_key_or_anything_else_that_is_no_address_is_refused_in_a_url(url):
    served = {"source": "x", "engine": "openai", "prompt": "chat", "server": {"url": url}}
    with pytest.raises(UserError, match="without credentials") as caught:
        check({**GOOD, "models": {"m": served}})
    assert "inurl" not in str(caught.value)


def test_all_problems_are_told_at_once():
    with pytest.raises(UserError) as caught:
        check(changed({"set": {"k": [9], "tasks.nothing": {}, "models.m.source": "x"}}))
    assert str(caught.value).count("found:") == 3


def test_reading_the_snakefile_imports_nothing_heavy():
    """Every job on a cluster reads it again."""
    script = f"""
import sys
import yaml
from selfincorrect.plan import resources
from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
check(yaml.safe_load(open({str(ROOT / "workflow/experiments/paper.yaml")!r})))
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"polars", "numpy", "torch", "transformers", "matplotlib", "scipy", "openai"} & set(
        done.stdout.split()
    )
