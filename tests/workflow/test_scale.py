"""The plan has the jobs that Snakemake has."""

import re
import subprocess
from collections import Counter

import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.plan import scale
from selfincorrect.plan.rates import Rates
from tests.conftest import ROOT, snakemake


def test_the_plan_of_the_paper_has_the_jobs_of_the_workflow(tmp_path):
    path = ROOT / "workflow/experiments/paper.yaml"
    command = snakemake(tmp_path, "-n", "-q", "rules", config=path)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    config = check(yaml.safe_load(path.read_text()))
    machines = scale.Machines(Rates(1e12, 1e12, "made up"))
    pairs, _ = scale.plan(config, tmp_path, machines)
    jobs = scale.jobs(pairs, machines, len(config.weighted))
    listed = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    assert listed.pop("total") == len(jobs) > 700
    assert Counter(job.name.split("/")[0] for job in jobs) == listed
