"""`--sdm conda` and `--sdm apptainer`: what Snakemake calls, seen by stand-ins for the programs it calls."""

import os
import shlex
import stat
import sys

import pytest
import yaml

from tests.conftest import ROOT

CONDA = """#!/bin/sh
echo "conda $*" >> "$CALLS"
case "$1" in
  info) echo '{"conda_prefix": "PREFIX", "platform": "linux-64"}' ;;
  --version) echo "conda 26.1.0" ;;
  config) echo '{"get": {"channel_priority": "strict"}}' ;;
  env) mkdir -p "$8/bin"; cp "PREFIX/python" "$8/bin/python" ;;
esac
"""
# In the environment: notes what is installed; is asked for its version; runs scripts with the real one.
PYTHON = """#!/bin/sh
case "$1" in
  -m) echo "python $*" >> "$CALLS" ;;
  -c) echo "[3, 11]" ;;
  *) echo "script" >> "$CALLS"; exec REAL "$@" ;;
esac
"""
APPTAINER = """#!/bin/sh
echo "apptainer $*" >> "$CALLS"
[ "$1" = --version ] && echo "apptainer version 1.3.4"
exit 0
"""


@pytest.fixture
def stand_ins(workflow, tmp_path):
    """The environment of a run with stand-ins for conda and apptainer, and what reads the calls they got."""
    bin_folder, calls = tmp_path / "prefix/bin", tmp_path / "calls"
    bin_folder.mkdir(parents=True)
    files = {
        "bin/conda": CONDA,
        "bin/apptainer": APPTAINER,
        "bin/activate": 'export PATH="$1/bin:$PATH"\n',
        "python": PYTHON.replace("REAL", shlex.quote(sys.executable)),
    }
    for name, text in files.items():
        path = tmp_path / "prefix" / name
        path.write_text(text.replace("PREFIX", str(tmp_path / "prefix")))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "CALLS": str(calls)}
    return env, lambda: calls.read_text().splitlines()


@pytest.mark.parametrize("lock", ["cuda", "cpu"])
def test_conda_environment_installs_the_lock_and_runs_the_jobs(workflow, stand_ins, lock):
    env, calls = stand_ins
    target = "resources/datasets/capitals.parquet"
    workflow.run(target, "--sdm", "conda", env=env | ({"SELFINCORRECT_LOCK": "cpu"} if lock == "cpu" else {}))
    (created,) = [call for call in calls() if call.startswith("conda env create")]
    assert str(workflow.folder / ".snakemake/conda") in created  # a copy: nothing beside the file holds there
    installed = [call for call in calls() if call.startswith("python -m pip")]
    assert f"python -m pip install --require-hashes -r {ROOT}/envs/lock-{lock}.txt" == installed[-1]
    assert len(installed) == (2 if lock == "cpu" else 1)
    assert "script" in calls()
    assert (workflow.folder / target).exists()


def test_conda_environment_file_needs_no_file_beside_it():
    environment = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())
    assert environment["dependencies"] == ["python=3.11", "pip"]


def test_apptainer_runs_jobs_in_the_image_that_is_named(workflow, stand_ins):
    env, calls = stand_ins
    target, image = "resources/datasets/capitals.parquet", workflow.folder / "image.sif"
    image.write_text("")
    env |= {"SELFINCORRECT_IMAGE": str(image)}
    done = workflow.run(target, "--sdm", "apptainer", "--apptainer-args=--nv", check=False, env=env)
    (executed,) = [call for call in calls() if call.startswith("apptainer exec")]
    assert " --nv " in executed
    assert f"--bind {ROOT}:/mnt/snakemake_searchpaths/" in executed  # the package is the workflow's own copy
    assert f" {image} bash -c " in executed
    assert done.returncode  # the stand-in makes nothing


def test_apptainer_without_an_image_says_what_to_do(workflow, stand_ins):
    env, _ = stand_ins
    done = workflow.run("-n", "--sdm", "apptainer", check=False, env=env | {"SELFINCORRECT_IMAGE": ""})
    assert done.returncode
    assert "--sdm apptainer needs an image, and SELFINCORRECT_IMAGE is not set" in done.stdout + done.stderr
