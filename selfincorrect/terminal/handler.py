"""Snakemake's log events, shown: a live table in a terminal, and elsewhere a line as each stage ends."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from selfincorrect.jobs.job import QUIET, plain_text
from selfincorrect.terminal.stages import Run, Stage, clock, marked

NOTHING = "Nothing to be done"


class LogHandler(LogHandlerBase):
    """Shows how far a run is. Its jobs write to their logs alone while it does."""

    writes_to_stream, writes_to_file, needs_rulegraph = True, False, False
    has_filter, has_formatter = True, True

    def __post_init__(self) -> None:
        os.environ[QUIET] = "1"
        os.environ["TQDM_DISABLE"] = "1"
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.run, self.said = Run(), set[str]()
        self.live: Live | None = None
        self.now: Callable[[], float] = time.monotonic

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._take(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Show how it ended."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        event, now = getattr(record, "event", None), self.now()
        if event == LogEvent.RUN_INFO:
            self.run.planned(record.stats, now)  # type: ignore[attr-defined]
            self._begin()
        elif event == LogEvent.JOB_INFO:
            logs = [Path(path) for path in record.log]  # type: ignore[attr-defined]
            self.run.described(record.jobid, record.rule_name, logs, now)  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_FINISHED:
            self._ended(record.job_id, now)  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_ERROR:
            self._failed(record, now)
        elif event is None and str(record.msg).startswith(NOTHING):
            self._say("Nothing to be done: all results are there.")
        elif record.levelno >= logging.WARNING and event in (None, LogEvent.ERROR):
            self._say(str(record.getMessage() if record.msg else ""))

    def _begin(self) -> None:
        jobs = sum(stage.total for stage in self.run.stages.values())
        if self.common_settings.dryrun:
            counts = ", ".join(f"{stage.total} {stage.rule}" for stage in self.run.stages.values())
            self._say(f"{jobs} jobs would be run: {counts}")
            return
        self._say(f"{jobs} jobs; what each says is in results/logs, Snakemake's own words in .snakemake/log")
        if self.console.is_terminal and self.live is None:
            self.live = Live(
                get_renderable=self._table, console=self.console, refresh_per_second=4, redirect_stdout=False
            )
            self.live.start()

    def _ended(self, job: int, now: float) -> None:
        logs = self.run.rules.get(job, ("", []))[1]
        stage = self.run.ended(job, now)
        for level, text in marked(logs):
            self._say(f"{level}: {text}")
        if stage and stage.over and self.live is None:
            self._say(line(stage, now))

    def _failed(self, record: logging.LogRecord, now: float) -> None:
        job: int = record.jobid  # type: ignore[attr-defined]
        rule, logs = self.run.rules.get(job, ("a job", []))
        self.run.ended(job, now, failed=True)
        found = [text for level, text in marked(logs) if level == "error"]
        where = ", ".join(map(str, logs)) or "Snakemake's log"
        self._say(f"error in {rule}: " + ("\n".join(found) or f"see {where}"))

    def _say(self, text: str) -> None:
        """Print `text`, once."""
        if text and text not in self.said:
            self.said.add(text)
            self.console.print(Text(plain_text(text)))

    def _table(self) -> Group:
        now = self.now()
        table = Table.grid(padding=(0, 1))
        begun = [stage for stage in self.run.stages.values() if stage.begun is not None]
        for stage in sorted(begun, key=lambda stage: stage.begun or 0.0):
            state = "failed" if stage.failed else ""
            table.add_row(
                Text(stage.rule),
                ProgressBar(total=1.0, completed=stage.share(), width=20),
                Text(f"{stage.done}/{stage.total}", justify="right"),
                Text(clock(stage.seconds(now)), justify="right"),
                Text(stage.told() or state),
            )
        left = self.run.left(now)
        table.add_row(
            Text("all", style="bold"),
            ProgressBar(total=1.0, completed=self.run.share(), width=20),
            Text(
                f"{sum(stage.done for stage in begun)}/{sum(s.total for s in self.run.stages.values())}",
                justify="right",
            ),
            Text(clock(now - self.run.begun), justify="right"),
            Text("" if left is None or self.run.share() >= 1 else f"about {clock(left)} left"),
        )
        return Group(table)


def line(stage: Stage, now: float) -> str:
    """What a stage that is over took, for where there is no terminal."""
    jobs = f"{stage.done} of {stage.total} jobs"
    told = stage.told()
    return f"{stage.rule:<16} {jobs:>16} {clock(stage.seconds(now)):>8}" + (f"  {told}" if told else "")
