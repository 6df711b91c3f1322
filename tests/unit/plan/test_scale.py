"""The plan of an experiment: pairs, jobs and their order, sizes; by hand."""

from collections import Counter

import pytest
import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.errors import UserError
from selfincorrect.io import write_text
from selfincorrect.plan import questions, scale
from selfincorrect.plan.estimate import Load
from selfincorrect.plan.rates import Rates
from selfincorrect.tasks.base import sample_questions

WORK = Rates(1e12, 1e11, "made up")
HUB = {"revision": "0" * 40, "prompt": "completion", "dtype": "bfloat16"}


@pytest.fixture
def config():
    return check(
        {
            "models": {
                "small": {"source": "a/small", "parameters": 1e9, **HUB},
                "large": {"source": "a/large", "parameters": 5e10, "gpus": 2, "tasks": ["capitals"], **HUB},
                "judge": {"source": "a/judge", "parameters": 2e9, "tasks": [], **HUB},
            },
            "tasks": {
                "capitals": {"limit": 10, "shards": 3},
                "truthfulqa": {"limit": 10, "judges": {"truth": "judge", "info": "judge"}},
            },
            "k": [2, 4],
            "variants": {"full": {}, "easy": {"distractors": "easy", "tasks": ["truthfulqa"]}},
            "refinement": {"tasks": ["capitals"], "models": ["small"]},
            "run": {"device": "cuda"},
        }
    )


@pytest.fixture
def planned(config, tmp_path):
    return scale.plan(config, tmp_path, scale.Machines(WORK))


def test_work_of_a_load_by_hand(config):
    machines = scale.Machines(WORK, disk=1e10)
    small, large = scale.pairs(
        config,
        [
            Load("small", "capitals", "generate", 40, 4000, 400, 900),
            Load("large", "capitals", "discriminate", 10, 1000, 100, 300),
        ],
        machines,
    )[::2]  # small has truthfulqa between them
    assert (small.model, large.model) == ("small", "large")
    assert small.seconds == {"generate": pytest.approx(2e9 * 4000 / 1e12 + 2e9 * 400 / 1e11)}
    assert large.seconds == {"discriminate large": pytest.approx(1e11 * 1000 / 1e12 + 1e11 * 100 / 1e11)}
    assert (small.gpus, large.gpus) == ({"generate": 1}, {"discriminate large": 2})
    assert large.loading == {"discriminate large": pytest.approx(1e11 / 1e10)}, "two bytes a parameter"
    assert (small.answers, small.tokens) == (40, 4400)


def test_jobs_of_a_pair(planned):
    pairs, origins = planned
    assert origins == {"capitals": "package", "truthfulqa": "demonstrations"}
    made = scale.jobs(pairs, scale.Machines(WORK), prepared=3)
    counts = Counter(job.name.split("/")[0] for job in made)
    assert counts == {
        **{"prepare_model": 3, "prepare_dataset": 2, "generate": 3 + 1 + 3, "collect": 3, "judge": 1},
        **{"grade": 3, "discriminate": 3 + 1 + 3, "select": 3, "refine": 1, "measure": 6},
        **{"tables": 1, "figures": 1, "paper": 1, "report": 1, "all": 1},
    }
    needs = {job.name: set(job.needs) for job in made}
    assert needs["collect/small/capitals"] == {f"generate/small/capitals/{shard}" for shard in range(3)}
    asked = [f"discriminate/small/capitals/small/{shard}" for shard in range(3)]
    for name in (*asked, "refine/small/capitals"):
        assert needs[name] == {"collect/small/capitals"}
    assert needs["select/small/capitals"] == {"grade/small/capitals", *asked}
    assert needs["discriminate/small/truthfulqa/small/0"] == {"grade/small/truthfulqa"}, (
        "easy distractors need grades"
    )
    assert needs["grade/small/truthfulqa"] == {"collect/small/truthfulqa", "judge/small/truthfulqa"}
    assert needs["measure/small/capitals/k4"] == {"grade/small/capitals", "select/small/capitals"}
    gpus = {job.name: job.gpus for job in made}
    assert (
        gpus["generate/large/capitals/0"],
        gpus["judge/small/truthfulqa"],
        gpus["grade/small/truthfulqa"],
    ) == (2, 1, 0)


def test_shards_divide_the_answers_and_not_the_fixed_costs(planned):
    pairs, _ = planned
    machines = scale.Machines(WORK, disk=1e9, fixed={"generate": 5.0}, overhead=7.0)
    shard = next(job for job in scale.jobs(pairs, machines, 0) if job.name == "generate/small/capitals/1")
    pair = pairs[0]
    assert shard.seconds == pytest.approx(5 + 7 + pair.loading["generate"] + pair.seconds["generate"] / 3)


def test_enlarged_repeats_pairs_and_gaps(planned):
    pairs, _ = planned
    assert [(pair.model, pair.task) for pair in scale.enlarged(pairs, 3, 3)] == [
        ("small", "capitals"), ("small", "truthfulqa"), ("small", "capitals.2"),
        ("large", "capitals"), ("large", "capitals.2"),
        ("small.2", "capitals"), ("small.2", "truthfulqa"), ("small.2", "capitals.2"),
    ]  # fmt: skip
    assert len(scale.enlarged(pairs, 1, 1)) == 1


def test_auto_is_planned_on_gpus(config):
    for device, gpus in (("auto", 2), ("cuda", 2), ("cpu", 0)):
        on = config.model_copy(update={"run": config.run.model_copy(update={"device": device})})
        assert scale._gpus(on, on.weighted["large"]) == gpus


def test_storage(config, planned):
    pairs, _ = planned
    sizes = scale.storage(config, pairs)
    assert sizes["weights"] == 2 * (1e9 + 5e10 + 2e9)
    assert sizes["results"] == sum(pair.tokens for pair in pairs) * 12
    twice = scale.storage(config, scale.enlarged(pairs, 4, 2))
    assert twice["weights"] == 2 * (2 * (1e9 + 5e10) + 2e9), "a judge is there once"


def test_stand_ins():
    assert len(questions.stand_ins("gsm8k", 1319)) == 1319
    turns = questions.stand_ins("mt_bench", 160)
    assert len(turns) == 160
    assert len({question.cluster for question in turns}) == 80
    assert len({question.question_id for question in turns}) == 160
    assert len(sample_questions(turns, 5, 1)) == 10


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_text("script.yaml", "{rules: [], delay: 2}")
    experiment = {
        "models": {"one": {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"}},
        "tasks": {"capitals": {"limit": 10}},
    }
    write_text("e.yaml", yaml.safe_dump(experiment))
    scale.main(["e.yaml", "--gpus", "0", "--overhead", "0", "--slots", "1"])
    said = capsys.readouterr().out
    # 40 candidates and 10 choices of 2 s, two starts of a model, and collect, grade, select, measure,
    # tables, figures, paper, report
    assert f"{100 + 2 * 4 + 8 * 1} s" in said.split("in use")[1]
    assert "13 jobs: 1 generate" in said
    scale.main(["e.yaml", "--models", "2", "--tasks", "2", "--gpus", "0"])
    assert "4 generate, 4 collect" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path.parent)
    scale.main([str(tmp_path / "e.yaml"), "--directory", str(tmp_path), "--gpus", "0"])
    assert "13 jobs: 1 generate" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="No benchmarks in"):
        scale.main([str(tmp_path / "e.yaml"), "--fixed", "nowhere"])


def test_too_few_gpus(planned):
    pairs, _ = planned
    with pytest.raises(UserError, match="needs 2 GPUs, and there are 1"):
        scale.schedule(scale.jobs(pairs, scale.Machines(WORK), 0), 1, 9)
