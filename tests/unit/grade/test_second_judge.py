"""Two judges of the same answers, through the stage: two ratings, and their mean."""

import polars as pl

from selfincorrect.config.task_section import TaskConfig
from selfincorrect.engines.requests import Response
from selfincorrect.grade import stage
from selfincorrect.measure.scores import cross_fitted
from selfincorrect.models.ask import OpenedModel
from selfincorrect.models.store import ResponseStore
from selfincorrect.tasks import mt_bench
from selfincorrect.tasks.questions import question_table
from tests.support import paper_data

MT = mt_bench.load(
    {"questions": paper_data.QUESTIONS, "references": paper_data.REFERENCES, "prompts": paper_data.PROMPTS}
)


class Rater:
    """Rates answers of each text as it was told."""

    def __init__(self, ratings):
        self.ratings = ratings

    def answer(self, requests, stop=lambda: False):
        for request in requests:
            rating = next(rating for text, rating in self.ratings.items() if text in request.prompt.text())
            yield [(request, Response(f"[[{rating}]]", "", "stop", 1, 1, None))]


def judged(folder, ratings=1, **raters):
    judges = {
        role: OpenedModel(
            role, role, "chat", None, ResponseStore(folder), lambda given=given: Rater(given), {}
        )
        for role, given in raters.items()
    }
    judges = {role.replace("_second", " (second)"): model for role, model in judges.items()}
    pool = pl.DataFrame(
        {"question_id": [MT[0].question_id] * 2, "sample": [0, 1], "text": ["alpha", "omega"]}
    )
    settings = stage.JudgeSettings(seed=1, judges={}, ratings=ratings)
    dataset = question_table(MT)
    rows = stage.judge(dataset, pool, "mt_bench", judges, settings, "m")
    return rows, stage.run(dataset, pool, rows, "mt_bench", stage.Settings())


def test_grades_are_the_mean_of_two_judges(tmp_path):
    one, other = {"alpha": 4, "omega": 9}, {"alpha": 8, "omega": 7}
    rows, grades = judged(tmp_path, judge=one, judge_second=other)
    assert rows.select("rating", "role", "judge").unique(maintain_order=True).rows() == [
        (1, "judge", "judge"), (2, "judge", "judge_second"),
    ]  # fmt: skip
    assert grades.select("grade", "grade_rating_1", "grade_rating_2").rows() == [(6, 4, 8), (8, 9, 7)]
    f = grades.select("grade_rating_1", "grade_rating_2").to_numpy().T
    assert cross_fitted(f[:1], f[1:], grades["question_id"].unique().to_numpy()) == (7 + 4) / 2


def test_ratings_of_a_second_judge_count_on(tmp_path):
    same = {"alpha": 4, "omega": 9}
    rows, _ = judged(tmp_path, 2, judge=same, judge_second=same)
    assert rows.select("judge", "rating").unique(maintain_order=True).rows() == [
        ("judge", 1), ("judge", 2), ("judge_second", 3), ("judge_second", 4),
    ]  # fmt: skip


def test_raters_by_role():
    task = TaskConfig(judges={"judge": "a"}, second_judges={"judge": "b"})
    assert task.raters == {"judge": "a", "judge (second)": "b"}
    assert TaskConfig().raters == {}
