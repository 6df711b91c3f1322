"""The time of jobs follows what is asked of their models."""

from selfincorrect.config.check.experiment import check
from selfincorrect.plan.resources import minutes, ratings_each


def judged(**task):
    judge = {"source": "catalog:gemma-3-270m", "prompt": "completion", "tasks": []}
    model = {"source": "catalog:smollm2-135m-instruct", "prompt": "chat"}
    task = {"judges": {"judge": "judge"}, **task}
    return check({"models": {"m": model, "judge": judge}, "tasks": {"mt_bench": task}, "k": [4]})


def test_every_rating_of_every_judge_takes_its_time():
    once, twice = judged(), judged(ratings=2)
    assert (ratings_each(once, "mt_bench"), ratings_each(twice, "mt_bench")) == (6.0, 12.0)
    both = judged(second_judges={"judge": "m"})
    took = [
        minutes(
            config,
            list(config.tasks["mt_bench"].raters.values()),
            "mt_bench",
            ratings_each(config, "mt_bench"),
        )
        for config in (once, twice, both)
    ]
    assert took[1] > took[0]
    assert took[2] > took[0]
