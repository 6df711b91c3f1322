"""What tools for Snakemake workflows expect: a module, the catalogue's files, a run without a model; and
schemas that editors find.
"""

import json
import re
import shutil
import subprocess
import sys
from urllib.request import urlopen

import pytest
import yaml

from selfincorrect.config.new import configuration
from tests.conftest import ROOT, Workflow

MODULE = """
configfile: "config/config.yaml"

module selfincorrect:
    snakefile: "{root}/workflow/Snakefile"
    config: config

use rule * from selfincorrect

rule mine:
    input: "results/scripted/capitals/k4/metrics.parquet"
    output: "mine.txt"
    shell: "wc -c < {{input}} > {{output}}"
"""
SCHEMA = re.compile(r"\A# yaml-language-server: \$schema=(\S+)\n")


def test_another_workflow_uses_it_as_a_module(tmp_path):
    """As snakedeploy deploys it: a Snakefile that names the module, beside a copy of the configuration."""
    shutil.copytree(
        ROOT / ".test", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results", ".s*")
    )
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").write_text(MODULE.format(root=ROOT))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(tmp_path)]
    place = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": Workflow.timeout}
    done = subprocess.run([*command, "mine.txt"], **place)
    assert done.returncode == 0, done.stderr
    assert int((tmp_path / "mine.txt").read_text()) > 0


def test_the_catalogues_files():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True
    assert (ROOT / "config" / "README.md").read_text().startswith("# Configuration")
    assert (ROOT / "config" / "config.yaml").read_bytes() == (ROOT / "config.yaml").read_bytes()


@pytest.mark.parametrize("path", ["config.yaml", ".test/config/config.yaml", "workflow/experiments/*.yaml"])
def test_editors_find_the_schema_of_every_configuration(path):
    for file in ROOT.glob(path):
        found = SCHEMA.match(file.read_text(encoding="utf-8"))
        assert found, file
        assert json.loads((file.parent / found[1]).read_text(encoding="utf-8"))["$id"].startswith("urn:")


def test_a_new_configuration_names_the_schema_where_it_lies(tmp_path):
    found = SCHEMA.match(configuration("catalog:gemma-3-270m", "capitals", tmp_path / "mine.yaml"))
    assert json.loads(urlopen(found[1]).read())["title"] == "Config"
