"""A recorded run, run again from its record in another folder."""

import json
import shutil

import pytest

from selfincorrect.record.record import columns_digests
from selfincorrect.report import TABLES
from tests.conftest import WITHOUT_PAGES, reproduce

pytestmark = pytest.mark.xdist_group("reproduce")  # one worker makes the runs that these tests share


@pytest.fixture(scope="module")
def again(finished, tmp_path_factory):
    """The finished run made again: its folder and what was printed."""
    folder = tmp_path_factory.mktemp("reproduced") / "again"
    done = reproduce(finished.path("run.json"), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_everything_comes_out_the_same_in_another_folder(finished, again):
    folder, shown = again
    record = json.loads(finished.path("run.json").read_text())
    names = [*record["results"], "model scripted", "data capitals"]
    for name in names:
        assert f"{name}: same\n" in shown
    assert f"{len(names)} the same, 0 different." in shown
    assert (folder / "results/report.html").exists()
    # The answers were asked for again, not read from the first run.
    segments = (folder / "results/store").rglob("*.jsonl")
    assert sum(path.read_bytes().count(b"\n") for path in segments) == finished.stored()


def test_record_holds_what_the_run_was(finished):
    record = json.loads(finished.path("run.json").read_text())
    assert record["configuration"] == finished.config
    assert list(record["configuration"]["variants"]) == list(finished.config["variants"])
    assert record["versions"]["torch"]
    assert record["versions_before"] == []
    tables = {f"results/tables/{name}.parquet" for name in TABLES}
    cells = {
        f"results/scripted/capitals/{name}.parquet"
        for name in ("candidates", "grades", "k2/choices", "k4/choices")
    }
    papers = {name for name in record["results"] if name.startswith("results/paper/")}
    assert set(record["results"]) == tables | cells | papers
    assert len(papers) == 8
    for name in tables | cells:
        assert record["results"][name] == columns_digests(finished.folder / name)


def test_a_difference_is_named_and_fails(finished, again, tmp_path):
    folder, _ = again
    record = json.loads(finished.path("run.json").read_text())
    record["results"]["results/tables/metrics.parquet"]["dg_diff"] = "0" * 64
    record["results"]["results/paper/table2.csv"] = "0" * 64
    del record["results"]["results/tables/slots.parquet"]
    (tmp_path / "run.json").write_text(json.dumps(record))
    done = reproduce(tmp_path / "run.json", folder, "--files", str(finished.folder))
    assert done.returncode == 1
    assert "results/tables/metrics.parquet: different in dg_diff\n" in done.stdout
    assert "results/paper/table2.csv: different\n" in done.stdout
    assert "results/tables/slots.parquet: different: only in this run\n" in done.stdout
    assert ", 3 different." in done.stdout
    assert "The run was made on " in done.stdout


def test_other_answers_show_in_the_columns_they_change(finished, tmp_path):
    for name in ("run.json", "script.yaml"):
        shutil.copy(finished.path(name) if name == "run.json" else finished.folder / name, tmp_path / name)
    script = tmp_path / "script.yaml"
    script.write_text(script.read_text().replace("Vienna", "Wien"))
    done = reproduce(tmp_path / "run.json", tmp_path / "again", "--files", str(tmp_path), *WITHOUT_PAGES)
    assert done.returncode == 1
    assert "model scripted: different\n" in done.stdout
    assert "data capitals: same\n" in done.stdout
    assert "candidates.parquet: different in text" in done.stdout


def test_without_its_files_nothing_starts(finished, tmp_path):
    shutil.copy(finished.path("run.json"), tmp_path / "run.json")
    done = reproduce(tmp_path / "run.json", tmp_path / "again")
    assert done.returncode == 2
    assert "- models.scripted.source: ./script.yaml" in done.stderr
    assert "--files FOLDER" in done.stderr
    assert not (tmp_path / "again").exists()


def test_another_folders_results_are_left_alone(finished):
    done = reproduce(finished.path("run.json"), finished.folder)
    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_values_of_the_command_line_are_in_the_record(workflow):
    workflow.run("results/run.json", "--config", "tasks={capitals: {limit: 5}}", "ks=2")
    configuration = json.loads(workflow.path("run.json").read_text())["configuration"]
    assert configuration["k"] == [2]
    assert configuration["tasks"] == {"capitals": {"limit": 5}}
