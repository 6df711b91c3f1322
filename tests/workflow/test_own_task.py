"""A task that a configuration describes, through the whole workflow."""

import polars as pl

from selfincorrect.sandbox.sandbox import hindrance

ROWS = "asked,river,wrong1,wrong2\n" + "".join(
    f"Which river flows through {place}?,{river},Nile,Amazon\n"
    for place, river in (("Vienna", "Danube"), ("Rome", "Tiber"), ("Paris", "Seine"), ("Turin", "Po"))
)
DOUBLES = """\
{"q": "Double x.", "a": "def twice(x): return 2 * x", "t": "assert twice(2) == 4\\nassert twice('a') == 'aa'"}
{"q": "Halve x.", "a": "def half(x):\\n    return x / 2", "t": ["assert half(2) == 1"]}
"""
SCRIPT = """
rules:
- {match: "best (program|solution)", answers: ['1', '2']}
- match: Double x
  answers: ["```python\\ndef twice(x):\\n    return 2 * x\\n```", "def twice(x):\\n    return 4"]
- {match: Halve x, answers: ["import os\\nos._exit(0)", "def half(x):\\n    return 2"]}
- {match: '(?s).*numbers (?P<a>\\d+), (?P<b>\\d+): each', answers: ["#### {a} + {b}", "so\\n#### {b} * {a}"]}
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
    (workflow.folder / "doubles.jsonl").write_text(DOUBLES)
    doubles = {
        "source": {"path": "doubles.jsonl"},
        "question": "q",
        "answer": "a",
        "grade": "code",
        "tests": "t",
    }
    puzzles = {"source": {"generator": "countdown", "sizes": [2, 3], "count": 4}}
    tasks = {"rivers": rivers, "lettered": lettered, "countdown": puzzles}
    if not hindrance():
        tasks["doubles"] = doubles | {"execute": True}
    workflow.configure(tasks=tasks, k=[4], variants=variants)
    (workflow.folder / "script.yaml").write_text(SCRIPT)  # `configure` wrote one of its own
    workflow.run("tables_only")
    metrics = workflow.table("tables/metrics.parquet")
    found = dict(metrics.select("task", "grading").rows())
    assert (found["rivers"], found["lettered"], found["countdown"]) == ("aliases", "choice", "puzzle")
    if "doubles" in tasks:
        assert found["doubles"] == "code"
        faults = set(workflow.table("scripted/doubles/grades.parquet")["fault"])
        wrong = "AssertionError, at `assert twice('a') == 'aa'`"
        assert faults <= {
            None,
            wrong,
            "AssertionError, at `assert half(2) == 1`",
            "the program ended before it returned",
        }
        assert len(faults) > 1
    puzzles = workflow.table("scripted/countdown/grades.parquet")
    assert 0 < puzzles.filter(pl.col("fault").is_null()).height == puzzles["grade"].sum()
    assert set(workflow.table("tables/difficulty.parquet").filter(pl.col("by") == "level")["group"]) == {
        "2",
        "3",
    }
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
