"""A served model through the workflow: faults on the way, the key nowhere, a wrong key told at once."""

import json

import polars as pl
import pytest

from tests.conftest import Workflow
from tests.support import servers
from tests.support.batches import BatchServer

KEY = "planted-4f9c1d2e-key"


@pytest.fixture
def served(tmp_path):
    with servers.serving() as server:
        workflow = Workflow(tmp_path)
        settings = {
            "url": server.url,
            "key": "PLANTED_KEY",
            "retries": 2,
            "timeout": 20,
            "price": {"input": 1, "output": 2},
        }
        model = {"engine": "openai", "source": "some/model", "prompt": "completion", "server": settings}
        tasks, variants = {"capitals": {"limit": 5}}, {"full": {}, "score": {"selector": "score"}}
        workflow.configure(models={"served": model}, tasks=tasks, k=[4], variants=variants)
        yield server, workflow


def everything_written(workflow: Workflow) -> bytes:
    return b"".join(path.read_bytes() for path in workflow.folder.rglob("*") if path.is_file())


def test_faults_on_the_way_lose_double_and_invent_nothing(served):
    server, workflow = served
    busy = servers.status(429, headers={"retry_after": "0"})
    server.faults = {2: servers.status(500), 3: servers.half_a_body, 5: servers.raw("<html>"), 6: busy}
    done = workflow.run("tables_only", env={"PLANTED_KEY": KEY})
    candidates = workflow.table("served/capitals/candidates.parquet")
    assert candidates.height == 5 * 4
    assert all(any(text in sent for sent in server.sent) for text in candidates["text"])
    assert workflow.stored() == 20 + 5 + 5 * 4, "candidates, choices, scores: each once"
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert KEY.encode() not in everything_written(workflow)
    assert KEY not in done.stdout + done.stderr
    calls = len(server.bodies)
    workflow.run("--forceall", env={"PLANTED_KEY": KEY})
    assert len(server.bodies) == calls, "every answer is in the store"
    assert KEY.encode() not in everything_written(workflow)
    page = workflow.path("report.html").read_text()
    assert f"<td>{calls}</td>" in page, "the report tells how many calls were made"


def test_a_run_by_the_batch_api_is_that_of_single_calls(tmp_path):
    server = {"key": "PLANTED_KEY", "retries": 2}
    model = {"engine": "openai", "source": "some/model", "prompt": "completion"}
    found = []
    for kind in (servers.FaultyServer, BatchServer):
        with servers.serving(kind) as serving:
            folder = tmp_path / kind.__name__
            folder.mkdir()
            workflow = Workflow(folder)
            settings = {**server, "url": serving.url, "batch": kind is BatchServer}
            workflow.configure(
                models={"served": {**model, "server": settings}},
                tasks={"capitals": {"limit": 5}},
                k=[4],
                variants={"full": {}, "labels": {"selector": "label_probability"}},
            )
            if kind is BatchServer:
                serving.looks = 0
            workflow.run("tables_only", env={"PLANTED_KEY": KEY})
            found.append(workflow.table("served/capitals/k4/choices.parquet"))
            if kind is BatchServer:
                assert len(serving.batches) == 2, "one for the pool, one for what is asked about it"
                assert KEY.encode() not in everything_written(workflow)
                assert not list(workflow.folder.rglob("pending/*"))
    same = ["question_id", "variant", "order", "output", "picks", "chosen_sample"]
    assert found[0].select(same).equals(found[1].select(same))


def test_a_wrong_key_is_told_at_once_and_never_shown(served):
    server, workflow = served
    server.always = servers.echoes_key(401)
    done = workflow.run(check=False, env={"PLANTED_KEY": KEY})
    assert done.returncode
    assert "the key in the environment variable PLANTED_KEY" in done.stderr
    assert len(server.bodies) == 1, "not repeated"
    assert KEY not in done.stdout + done.stderr
    assert KEY.encode() not in everything_written(workflow)


def test_a_missing_key_stops_before_anything_is_asked(served):
    server, workflow = served
    done = workflow.run(check=False)
    assert done.returncode
    assert "environment variable PLANTED_KEY is not set" in done.stderr
    assert not server.bodies
    assert workflow.rules_run(done) == ["prepare_dataset", "prepare_model"]


def test_questions_that_a_server_refuses_end_no_run(tmp_path):
    """Of 200, 10 are refused: by a filter before the model, by one after it, and by the model itself."""
    unwanted = {f"What is {number}?": number // 20 % 3 for number in range(0, 200, 20)}
    choices = [
        {"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"},
        {"message": {"content": None}, "finish_reason": "content_filter"},
    ]

    def refuses(handler, body):
        asked = body["messages"][-1]["content"]
        last = asked.rsplit("Question: ", 1)[-1].split("\n")[0]
        if last not in unwanted or "best" in asked:
            return False
        if unwanted[last] == 2:
            return servers.status(400, "blocked", code="content_filter")(handler, body)
        choice = choices[unwanted[last]]
        handler.reply(
            200,
            {"choices": [choice] * body.get("n", 1), "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
        )
        return True

    rows = [{"question": f"What is {number}?", "answer": f"It is.\n#### {number}"} for number in range(200)]
    (tmp_path / "gsm8k.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with servers.serving() as server:
        server.always = refuses
        workflow = Workflow(tmp_path)
        model = {"engine": "openai", "source": "some/model", "prompt": "chat", "server": {"url": server.url}}
        tasks = {"gsm8k": {"source": {"path": "gsm8k.jsonl"}, "shots": 0}}
        workflow.configure(
            models={"served": model}, tasks=tasks, sampling={"n": 2}, k=[2], variants={"full": {}}
        )
        workflow.run("results/served/gsm8k/k2/metrics.parquet")
        candidates = workflow.table("served/gsm8k/candidates.parquet")
        missing = candidates.filter(pl.col("text").is_null())
        assert missing["question_id"].n_unique() == 10
        assert missing["finish_reason"].value_counts().sort("finish_reason").rows() == [
            ("filtered", 12),
            ("refused", 8),
        ]
        grades = workflow.table("served/gsm8k/grades.parquet")
        assert grades.filter(pl.col("missing").is_not_null())["grade"].to_list() == [0.0] * 20
        row = workflow.table("served/gsm8k/k2/metrics.parquet").row(0, named=True)
        assert (row["n"], row["candidates_refused"], row["ungraded"]) == (200, 20, 0)
        assert "20 were refused" in row["note"]
        calls = len(server.bodies)
        workflow.run("results/served/gsm8k/k2/metrics.parquet", "--forceall")
        assert len(server.bodies) == calls, "asked once"
