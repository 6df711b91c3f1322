"""A served model through the workflow: faults on the way, the key nowhere, a wrong key told at once."""

import pytest

from tests import servers
from tests.conftest import Workflow

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
        workflow.configure(models={"served": model}, tasks={"capitals": {"limit": 5}}, k=[4], variants={"full": {}, "score": {"selector": "score"}})  # fmt: skip
        yield server, workflow


def everything_written(workflow: Workflow) -> bytes:
    return b"".join(path.read_bytes() for path in workflow.folder.rglob("*") if path.is_file())


def test_faults_on_the_way_lose_double_and_invent_nothing(served):
    server, workflow = served
    server.faults = {2: servers.status(500), 3: servers.half_a_body, 5: servers.raw("<html>"), 6: servers.status(429, headers={"retry_after": "0"})}  # fmt: skip
    done = workflow.run(env={"PLANTED_KEY": KEY})
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
    page = workflow.path("report.html").read_text()
    assert f"<td>{calls}</td>" in page, "the report tells how many calls were made"


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
