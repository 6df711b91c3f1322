"""What a run says: stages from events and logs, warnings once, errors whole."""

import io
import logging

import pytest
from rich.console import Console
from snakemake_interface_logger_plugins.common import LogEvent

from selfincorrect.errors import UserError
from selfincorrect.jobs.job import QUIET
from selfincorrect.terminal import handler
from selfincorrect.terminal.run import command_of
from selfincorrect.terminal.stages import Run, answering, clock, marked

LOG = """\
10:00:00 [generate m t 0] loaded m
10:00:05 [generate m t 0] generate m t: 40/160 answers, 8.00/s, 0:05 elapsed, 0:15 left
10:00:06 [generate m t 0] warning: 3 answers were cut
at their limit
10:00:07 [generate m t 0] going on
"""


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "0.log"
    path.write_text(LOG)
    return path


def test_a_job_that_runs_counts_by_its_answers(log):
    run = Run()
    run.planned({"generate": 2, "grade": 2, "all": 1, "total": 5}, 0.0)
    assert list(run.stages) == ["generate", "grade"]
    run.described(1, "generate", [log], 10.0)
    stage = run.stages["generate"]
    assert (stage.share(), stage.told(), stage.seconds(15.0)) == (0.125, "40 answers, 8.0/s", 5.0)
    assert run.share() == pytest.approx(0.25 / 4)
    assert run.left(10.0) == pytest.approx(10 * (1 - 1 / 16) * 16)
    assert run.ended(1, 20.0) is stage
    assert run.ended(1, 21.0) is None, "it ends once"
    assert (stage.done, stage.over, stage.answers) == (1, False, 40)
    run.described(2, "generate", [], 20.0)
    run.ended(2, 30.0, failed=True)
    assert (stage.failed, stage.over, stage.seconds(99.0)) == (1, True, 20.0)
    assert run.left(0.0) is None


def test_what_logs_say(log, tmp_path):
    assert answering([log, tmp_path / "none.log"]) == [(40, 160, 8.0)]
    assert marked([log]) == [("warning", "3 answers were cut\nat their limit")]
    assert [clock(seconds) for seconds in (5, 65, 3700)] == ["0:05", "1:05", "1:01:40"]


class Settings:
    stdout = False
    dryrun = False


def record(text=None, level=logging.INFO, **about):
    made = logging.LogRecord("snakemake", level, "", 0, text, (), None)
    made.__dict__.update(about)
    return made


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setenv(QUIET, "")
    monkeypatch.setenv("TQDM_DISABLE", "")
    made = handler.LogHandler(Settings(), None)
    said = io.StringIO()
    made.console, made.now = Console(file=said, width=200, soft_wrap=True), lambda: 0.0
    return made, said


def test_without_a_terminal_a_stage_is_a_line(shown, log, tmp_path):
    made, said = shown
    (tmp_path / "1.log").write_text(LOG + "10:00:08 [grade m t] error: t.csv lacks \x1b[2Ja column\n")
    made.emit(record("counts", event=LogEvent.RUN_INFO, stats={"generate": 1, "grade": 1, "total": 2}))
    for job, rule, path in ((1, "generate", log), (2, "grade", tmp_path / "1.log")):
        made.emit(record(event=LogEvent.JOB_INFO, jobid=job, rule_name=rule, log=[str(path)]))
    made.emit(record(event=LogEvent.JOB_FINISHED, job_id=1))
    made.emit(record(event=LogEvent.JOB_ERROR, jobid=2))
    made.emit(record("a warning", logging.WARNING))
    made.emit(record("a warning", logging.WARNING))
    made.emit(record("chatter"))
    made.close()
    assert said.getvalue().splitlines() == [
        "2 jobs; what each says is in results/logs, Snakemake's own words in .snakemake/log",
        "warning: 3 answers were cut",
        "at their limit",
        "generate              1 of 1 jobs     0:00  40 answers",
        "error in grade: t.csv lacks \ufffd[2Ja column",
        "a warning",
    ]


def test_a_dry_run_counts_jobs(shown):
    made, said = shown
    made.common_settings.dryrun = True
    made.emit(
        record("counts", event=LogEvent.RUN_INFO, stats={"generate": 2, "grade": 1, "all": 1, "total": 4})
    )
    assert said.getvalue() == "3 jobs would be run: 2 generate, 1 grade\n"


def test_the_live_table_has_a_line_a_stage_and_one_for_all(shown, log):
    made, said = shown
    made.emit(record("counts", event=LogEvent.RUN_INFO, stats={"generate": 2, "grade": 1, "total": 3}))
    made.emit(record(event=LogEvent.JOB_INFO, jobid=1, rule_name="generate", log=[str(log)]))
    said.truncate(0)
    made.now = lambda: 10.0
    made.console.print(made._table())
    lines = said.getvalue().strip("\x00").splitlines()
    assert len(lines) == 2
    assert lines[0].split()[0] == "generate"
    assert "0/2" in lines[0]
    assert "40 answers, 8.0/s" in lines[0]
    assert lines[1].split()[0] == "all"
    assert "about" in lines[1]


def test_the_command_is_snakemakes(tmp_path):
    (tmp_path / "mine.yaml").write_text("")
    command = command_of(str(tmp_path / "mine.yaml"), tmp_path, "3", False, ["--profile", "slurm"])
    assert command[1:3] == ["-m", "snakemake"]
    assert command[-2:] == ["--profile", "slurm"]
    # Words of the user's own, such as targets, are not taken for loggers or configuration files.
    for option in ("--logger", "--configfile"):
        assert command[command.index(option) + 2].startswith("--")
    assert "--logger" not in command_of(None, tmp_path, "3", True)
    with pytest.raises(UserError, match=r"There is no file none\.yaml"):
        command_of("none.yaml", tmp_path, "3", True)
    assert "--configfile" not in command_of(None, tmp_path, "3", True)
    assert command_of(None, tmp_path, None, True)[-2:] == ["--cores", "2"]
    for profile in (["--workflow-profile", "slurm"], ["--profile=slurm"]):
        assert "--cores" not in command_of(None, tmp_path, None, True, profile), "the profile says how many"
