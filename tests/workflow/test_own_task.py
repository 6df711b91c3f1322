"""A task that a configuration describes, through the whole workflow."""

import polars as pl

ROWS = "asked,river,wrong1,wrong2\n" + "".join(
    f"Which river flows through {place}?,{river},Nile,Amazon\n"
    for place, river in (("Vienna", "Danube"), ("Rome", "Tiber"), ("Paris", "Seine"), ("Turin", "Po"))
)
SCRIPT = """
rules:
- {match: of the best answer, answers: ['1', '2']}
- {match: through Rome, answers: [Tiber, A, 'B.']}
- {match: ., answers: [Danube, the Po, C]}
"""


def test_a_file_of_questions_is_measured(workflow):
    (workflow.folder / "rivers.csv").write_text(ROWS)
    rivers = {"source": {"path": "rivers.csv"}, "question": "asked", "answer": "river"}
    lettered = rivers | {"grade": "choice", "options": ["wrong1", "river", "wrong2"], "shards": 2}
    variants = {
        "full": {},
        "simplified": {"distractors": "easy", "tasks": ["rivers"]},
        "labels": {"selector": "label_probability"},
    }
    workflow.configure(tasks={"rivers": rivers, "lettered": lettered}, k=[4], variants=variants)
    (workflow.folder / "script.yaml").write_text(SCRIPT)  # `configure` wrote one of its own
    workflow.run()
    metrics = workflow.table("tables/metrics.parquet")
    assert set(metrics.select("task", "grading").rows()) == {("rivers", "aliases"), ("lettered", "choice")}
    grades = workflow.table("scripted/rivers/grades.parquet")
    candidates = workflow.table("scripted/rivers/candidates.parquet")
    both = candidates.join(grades, on=["question_id", "sample"]).join(
        pl.read_parquet(workflow.folder / "resources/datasets/rivers.parquet"), on="question_id"
    )
    for text, references, grade in both.select("text", "references", "grade").iter_rows():
        assert grade == float(text.removeprefix("the ") in references)
    assert 0 < grades["grade"].sum() < grades.height
    shown = workflow.table("scripted/lettered/candidates.parquet")["prompt"][0]
    assert "\nA. Nile\nB. Danube\nC. Amazon\nAnswer:" in shown
    # Another grade makes grades again, and no answer.
    stored = workflow.stored()
    workflow.configure(tasks={"rivers": rivers | {"grade": "exact"}}, k=[4], variants={"full": {}})
    (workflow.folder / "script.yaml").write_text(SCRIPT)  # `configure` wrote one of its own
    workflow.run("results/scripted/rivers/k4/metrics.parquet")
    assert workflow.table("scripted/rivers/grades.parquet")["grade"].sum() <= grades["grade"].sum()
    assert workflow.stored() == stored
