"""Jobs on a number of GPUs, on paper: when each starts and ends, by list scheduling."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfincorrect.errors import UserError


@dataclass(frozen=True)
class Job:
    """A job that takes `seconds` on `gpus` GPUs, once the jobs named in `needs` have ended."""

    name: str
    seconds: float
    gpus: int = 0
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """When jobs end, and how well they use the GPUs."""

    ends: Mapping[str, float]  # seconds after the start, by name of job
    wall: float  # seconds until the last job ends
    gpu_seconds: float  # seconds that jobs hold GPUs, summed over GPUs
    utilisation: float  # share of the GPUs' time that jobs hold, up to the end of the last; 0 without GPUs


def schedule(jobs: Sequence[Job], gpus: int, slots: int) -> Schedule:
    """The schedule of `jobs` on `gpus` GPUs, at most `slots` of them at a time.

    Each starts, in their order, as soon as what it needs has ended and its GPUs and a slot are free; later
    jobs pass over one that does not fit. Raises UserError if a job needs more GPUs than there are, and
    ValueError if a job waits for one that does not exist or, in a circle, for itself.
    """
    _check(jobs, gpus)
    place = {job.name: index for index, job in enumerate(jobs)}
    waiting = {job.name: len(set(job.needs)) for job in jobs}
    after = _after(jobs)
    ready = [place[name] for name, count in waiting.items() if not count]  # in order, so it is a heap
    running: list[tuple[float, int]] = []
    ends: dict[str, float] = {}
    now, free, room = 0.0, gpus, slots
    while ready or running:
        passed_over = []
        while ready and room:
            index = heapq.heappop(ready)
            if jobs[index].gpus > free:
                passed_over.append(index)
                continue
            free, room = free - jobs[index].gpus, room - 1
            heapq.heappush(running, (now + jobs[index].seconds, index))
        for index in passed_over:
            heapq.heappush(ready, index)
        now = running[0][0]
        while running and running[0][0] == now:
            _, index = heapq.heappop(running)
            job = jobs[index]
            free, room, ends[job.name] = free + job.gpus, room + 1, now
            for name in after[job.name]:
                waiting[name] -= 1
                if not waiting[name]:
                    heapq.heappush(ready, place[name])
    if len(ends) < len(jobs):
        raise ValueError(f"these wait for each other: {sorted(set(place) - set(ends))}")
    held = sum(job.seconds * job.gpus for job in jobs)
    return Schedule(ends, now, held, held / (gpus * now) if gpus and now else 0.0)


def critical_path(jobs: Sequence[Job]) -> float:
    """The seconds that the jobs take however many GPUs there are: their longest chain of waiting."""
    unlimited = sum(job.gpus for job in jobs)
    return schedule(jobs, unlimited, len(jobs)).wall if jobs else 0.0


def _after(jobs: Sequence[Job]) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {job.name: [] for job in jobs}
    for job in jobs:
        for name in set(job.needs):
            after[name].append(job.name)
    return after


def _check(jobs: Sequence[Job], gpus: int) -> None:
    names = {job.name for job in jobs}
    if len(names) < len(jobs):
        raise ValueError("two jobs have one name")
    unknown = {name for job in jobs for name in job.needs} - names
    if unknown:
        raise ValueError(f"jobs wait for others that do not exist: {sorted(unknown)}")
    largest = max(jobs, key=lambda job: job.gpus, default=None)
    if largest is not None and largest.gpus > gpus:
        needed = largest.gpus
        raise UserError(
            f"{largest.name} needs {needed} GPUs, and there are {gpus}. Plan with --gpus {needed} or more."
        )
