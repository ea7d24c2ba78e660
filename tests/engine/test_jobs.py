"""The queue as tables: who is next, who is refused, what is listed."""

import time

import numpy as np
import pytest

from safelight import errors
from safelight.engine.jobs import (
    BATCH_SHARE,
    ENDED_JOBS_KEPT,
    QUEUED_JOBS_MOST,
    Job,
    JobClass,
    JobQueue,
    JobState,
    Listener,
)
from tests.engine.jobs_at_hand import request_for
from tests.fakes.pipelines import ONE_STAGE


def job(name="", *, batch=False, request=None):
    job_class = JobClass.BATCH if batch else JobClass.INTERACTIVE
    made = Job(request, Listener(), "identity", job_class=job_class)
    made.id = name or made.id
    return made


def queue_of(*names):
    """Jobs in order of arrival; batch jobs begin with b."""
    queue = JobQueue()
    jobs = {name: job(name, batch=name.startswith("b")) for name in names}
    for made in jobs.values():
        queue.submit(made)
    return queue, jobs


def turns(queue, count, waiting=()):
    return [found.id if (found := queue.next_turn(0, waiting=waiting)) else None for _ in range(count)]


ORDERS = {
    "nothing": ([], (), [None]),
    "the same job until it ends": (["i1"], (), ["i1"] * 3),
    "oldest first": (["i1", "i2"], (), ["i1", "i1"]),
    "interactive before batch": (["b1", "i1"], (), ["i1", "i1"]),
    "batch when nothing else": (["b1", "b2"], (), ["b1", "b1"]),
    "waiting ones are passed over": (["i1", "i2", "b1"], ("i1",), ["i2", "i2"]),
    "batch goes on while interactive waits": (["b1", "i1"], ("i1",), ["b1", "b1"]),
    "all wait": (["i1", "b1"], ("i1", "b1"), [None]),
}


@pytest.mark.parametrize(("names", "waiting", "expected"), ORDERS.values(), ids=ORDERS)
def test_whose_turn_it_is(names, waiting, expected):
    queue, _ = queue_of(*names)
    assert turns(queue, len(expected), waiting) == expected


def test_an_interactive_job_takes_over_at_the_next_turn():
    queue, _ = queue_of("b1")
    assert turns(queue, 2) == ["b1", "b1"]
    queue.submit(job("i1"))
    assert turns(queue, 2) == ["i1", "i1"]


def test_of_ten_turns_batch_gets_one():
    queue, _ = queue_of("i1", "i2", "b1")
    got = turns(queue, 10 * BATCH_SHARE)
    assert got.count("b1") == 10
    assert all(got[i : i + BATCH_SHARE].count("b1") == 1 for i in range(0, len(got), BATCH_SHARE))


def test_a_cancelled_job_comes_first_even_if_it_waits():
    queue, _ = queue_of("i1", "b1")
    queue.cancel("b1")
    assert turns(queue, 1, waiting=("b1",)) == ["b1"]


def test_alike_jobs_are_told_apart():
    pixels = np.zeros((64, 64, 3), np.uint8)
    alike = [job(f"i{i}", request=request_for(pixels.copy(), ONE_STAGE)) for i in range(3)]
    queue = JobQueue()
    for one in alike:
        queue.submit(one)
    assert queue.jobs_ahead(alike[2]) == 2
    queue.end(alike[1], JobState.CANCELLED)
    queue.computed(alike[2])
    assert [one.id for one in queue.taking_turns] == ["i0"]


AHEAD = {
    "first": ("i1", 0),
    "behind its own class": ("i2", 1),
    "batch behind all interactive ones, also later ones": ("b1", 3),
    "batch behind older batch": ("b2", 4),
}


@pytest.mark.parametrize(("name", "expected"), AHEAD.values(), ids=AHEAD)
def test_jobs_ahead(name, expected):
    queue, jobs = queue_of("i1", "b1", "i2", "b2", "i3")
    assert queue.jobs_ahead(jobs[name]) == expected


def test_a_full_queue_refuses():
    queue = JobQueue()
    for _ in range(QUEUED_JOBS_MOST):
        queue.submit(job())
    with pytest.raises(errors.TooMuch) as raised:
        queue.submit(job())
    assert raised.value.reason == "QUEUE_FULL"


def test_a_closed_queue_refuses_and_goes_on_with_what_it_has():
    queue, _ = queue_of("i1")
    queue.close()
    with pytest.raises(errors.Unavailable) as raised:
        queue.submit(job())
    assert raised.value.reason == "STOPPING"
    assert turns(queue, 1) == ["i1"]


def test_ended_jobs_are_listed_and_hold_no_pixels():
    queue = JobQueue()
    pixels = request_for(np.zeros((64, 64, 3), np.uint8), ONE_STAGE)
    for i in range(ENDED_JOBS_KEPT + 5):
        one = job(f"i{i}", request=pixels)
        queue.submit(one)
        queue.end(one, JobState.SUCCEEDED)
    assert len(queue.listed) == ENDED_JOBS_KEPT
    assert queue.listed[0].id == f"i{ENDED_JOBS_KEPT + 4}"
    assert [one.request for one in queue.listed] == [None] * ENDED_JOBS_KEPT
    assert queue.active == []


def test_the_first_end_of_a_job_counts():
    queue, jobs = queue_of("i1")
    queue.end(jobs["i1"], JobState.CANCELLED, "gone")
    queue.end(jobs["i1"], JobState.SUCCEEDED)
    assert (jobs["i1"].state, jobs["i1"].error) == (JobState.CANCELLED, "gone")


def test_a_client_that_leaves_cancels_its_job_but_the_worker_ends_it():
    queue, jobs = queue_of("i1")
    queue.leave(jobs["i1"], JobState.CANCELLED)
    assert jobs["i1"].cancelling.is_set()
    assert jobs["i1"].state is JobState.QUEUED
    assert turns(queue, 1) == ["i1"]


def test_a_client_that_leaves_a_computed_job_ends_it():
    queue, jobs = queue_of("i1")
    queue.computed(jobs["i1"])
    assert queue.active == [jobs["i1"]]
    queue.leave(jobs["i1"], JobState.SUCCEEDED)
    assert (queue.active, jobs["i1"].state) == ([], JobState.SUCCEEDED)


def test_cancelling_an_unknown_job_says_so():
    with pytest.raises(errors.NotFound) as raised:
        JobQueue().cancel("nobody")
    assert raised.value.reason == "NO_SUCH_JOB"


def test_the_wall_clock_does_not_order_jobs(monkeypatch):
    queue = JobQueue()
    queue.submit(first := job("i1"))
    monkeypatch.setattr(time, "time", lambda: first.created_s - 3600)
    queue.submit(job("i2"))
    assert [one.id for one in queue.active] == ["i1", "i2"]
    assert turns(queue, 1) == ["i1"]
