"""Schedules that were computed by hand, and what holds for every schedule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfincorrect.errors import UserError
from selfincorrect.plan.schedule import Job, critical_path, schedule


@pytest.mark.parametrize(
    ("jobs", "gpus", "slots", "ends"),
    [
        # three jobs on two GPUs: the third waits for the first that ends
        ([Job("a", 3, 1), Job("b", 2, 1), Job("c", 4, 1)], 2, 9, {"a": 3, "b": 2, "c": 6}),
        # a job of two GPUs waits for both, a later one of one passes it
        ([Job("a", 3, 1), Job("b", 2, 2), Job("c", 1, 1)], 2, 9, {"a": 3, "b": 5, "c": 1}),
        # a chain, and a job without GPUs beside it
        ([Job("a", 3, 1), Job("b", 2, 1, ("a",)), Job("c", 4)], 8, 9, {"a": 3, "b": 5, "c": 4}),
        # one place: GPUs do not help
        ([Job("a", 3, 1), Job("b", 2, 1), Job("c", 4)], 8, 1, {"a": 3, "b": 5, "c": 9}),
        # what is needed may come later in the list, and twice
        ([Job("a", 1, 0, ("b", "b", "c")), Job("b", 2), Job("c", 2)], 0, 9, {"a": 3, "b": 2, "c": 2}),
        # of equal ends, all are free before the next starts
        ([Job("a", 2, 1), Job("b", 2, 1), Job("c", 1, 2)], 2, 9, {"a": 2, "b": 2, "c": 3}),
    ],
)
def test_by_hand(jobs, gpus, slots, ends):
    found = schedule(jobs, gpus, slots)
    assert found.ends == ends
    assert found.wall == max(ends.values())
    assert found.gpu_seconds == sum(job.seconds * job.gpus for job in jobs)


def test_utilisation():
    assert schedule([Job("a", 3, 1), Job("b", 1, 1)], 2, 9).utilisation == pytest.approx(4 / 6)
    assert schedule([Job("a", 3)], 0, 9).utilisation == 0
    assert schedule([], 2, 9).wall == 0


def test_what_cannot_be_planned():
    with pytest.raises(UserError, match=r"b needs 2 GPUs, and there are 1.*--gpus 2"):
        schedule([Job("a", 1, 1), Job("b", 1, 2)], 1, 9)
    with pytest.raises(ValueError, match="do not exist"):
        schedule([Job("a", 1, 0, ("b",))], 1, 9)
    with pytest.raises(ValueError, match="wait for each other"):
        schedule([Job("a", 1, 0, ("b",)), Job("b", 1, 0, ("a",))], 1, 9)
    with pytest.raises(ValueError, match="one name"):
        schedule([Job("a", 1), Job("a", 1)], 1, 9)


@st.composite
def graphs(draw):
    jobs = []
    for number in range(draw(st.integers(1, 12))):
        needs = draw(st.lists(st.sampled_from([job.name for job in jobs]), max_size=3)) if jobs else []
        jobs.append(Job(f"job{number}", draw(st.integers(0, 9)), draw(st.integers(0, 3)), tuple(needs)))
    return jobs


@given(graphs(), st.integers(3, 6), st.integers(1, 12))
def test_bounds(jobs, gpus, slots):
    found = schedule(jobs, gpus, slots)
    work, places = sum(job.seconds * job.gpus for job in jobs), sum(job.seconds for job in jobs)
    assert found.wall >= max(work / gpus, places / slots, critical_path(jobs))
    assert found.wall <= places  # never slower than one after the other
    assert found.utilisation <= 1
    starts = {job.name: found.ends[job.name] - job.seconds for job in jobs}
    for job in jobs:
        assert all(found.ends[name] <= starts[job.name] for name in job.needs)
    for moment in starts.values():
        now = [job for job in jobs if starts[job.name] <= moment < found.ends[job.name]]
        assert sum(job.gpus for job in now) <= gpus
        assert len(now) <= slots
