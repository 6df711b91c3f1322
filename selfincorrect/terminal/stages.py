"""How far a run is, stage by stage: from what Snakemake says of its jobs, and jobs write to their logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ANSWERS = re.compile(r": (\d+)/(\d+) answers, ([\d.]+)/s, ")
_MARKED = re.compile(r"^\d\d:\d\d:\d\d \[[^\]]*\] (warning|error): ")
TAIL = 4096  # bytes of a log in which its last line of progress is looked for


@dataclass
class Stage:
    """The jobs of one rule. `running` has logs by number of job, `begun` is when the first started."""

    rule: str
    total: int
    done: int = 0
    failed: int = 0
    running: dict[int, list[Path]] = field(default_factory=dict)
    begun: float | None = None
    ended: float | None = None
    answers: int = 0  # of jobs that have ended

    @property
    def over(self) -> bool:
        return self.done + self.failed >= self.total and not self.running

    def seconds(self, now: float) -> float:
        """How long it has taken so far."""
        return 0.0 if self.begun is None else (self.ended or now) - self.begun

    def share(self) -> float:
        """How much of it is done, from 0 to 1; of a job that runs by its answers."""
        parts = sum(done / total for done, total, _ in self._answering() if total)
        return min((self.done + self.failed + parts) / max(self.total, 1), 1.0)

    def told(self) -> str:
        """Answers so far, and how many a second."""
        found = list(self._answering())
        answers = self.answers + sum(done for done, _, _ in found)
        if not answers:
            return ""
        rate = sum(rate for _, _, rate in found)
        return f"{answers:,} answers" + (f", {rate:.1f}/s" if rate else "")

    def _answering(self) -> Iterator[tuple[int, int, float]]:
        for logs in self.running.values():
            yield from answering(logs)


@dataclass
class Run:
    """All stages of a run, in the order in which Snakemake counts their jobs."""

    stages: dict[str, Stage] = field(default_factory=dict)
    rules: dict[int, tuple[str, list[Path]]] = field(default_factory=dict)
    begun: float = 0.0

    def planned(self, counts: Mapping[str, int], now: float) -> None:
        """The number of jobs of each rule."""
        self.stages = {
            rule: Stage(rule, count) for rule, count in counts.items() if rule not in ("total", "all")
        }
        self.begun = now

    def described(self, job: int, rule: str, logs: list[Path], now: float) -> None:
        """A job of which Snakemake says what it is, as it starts."""
        self.rules[job] = rule, logs
        if stage := self.stages.get(rule):
            stage.running[job] = logs
            stage.begun = now if stage.begun is None else stage.begun

    def ended(self, job: int, now: float, failed: bool = False) -> Stage | None:
        """The stage of a job that has ended; None for one that is not shown, or had ended before."""
        rule, logs = self.rules.get(job, ("", []))
        stage = self.stages.get(rule)
        if stage is None or job not in stage.running:
            return None
        stage.answers += sum(done for done, _, _ in answering(logs))
        del stage.running[job]
        stage.done, stage.failed = stage.done + (not failed), stage.failed + failed
        if stage.over:
            stage.ended = now
        return stage

    def left(self, now: float) -> float | None:
        """About how many seconds are left, at the pace so far; None before anything is done."""
        pace = self.share() / (now - self.begun) if now > self.begun else 0.0
        return (1 - self.share()) / pace if pace > 0 else None

    def share(self) -> float:
        """How much of the run is done, from 0 to 1: every job counts the same."""
        jobs = sum(stage.total for stage in self.stages.values())
        return sum(stage.share() * stage.total for stage in self.stages.values()) / max(jobs, 1)


def answering(logs: list[Path]) -> list[tuple[int, int, float]]:
    """What a job's log says last of its answers: how many there are, of how many, and a second."""
    found = []
    for path in logs:
        try:
            with path.open("rb") as file:
                file.seek(max(path.stat().st_size - TAIL, 0))
                text = file.read().decode("utf-8", "replace")
        except OSError:  # not there yet
            continue
        if said := _ANSWERS.findall(text):
            done, total, rate = said[-1]
            found.append((int(done), int(total), float(rate)))
    return found


def marked(logs: list[Path]) -> list[tuple[str, str]]:
    """The warnings and errors in a job's log: ("warning" or "error", what it says)."""
    found: list[tuple[str, str]] = []
    for path in logs:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        level = ""
        for line in lines:
            if match := _MARKED.match(line):
                level = match[1]
                found.append((level, line[match.end() :]))
            elif re.match(r"^\d\d:\d\d:\d\d \[", line):
                level = ""
            elif level:  # a message of several lines goes on
                found[-1] = level, f"{found[-1][1]}\n{line}"
    return found


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are some."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
