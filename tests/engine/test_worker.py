"""The real worker thread with a device that reports the memory it is told to."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from safelight import errors
from safelight.engine.jobs import Job, JobClass, JobQueue, JobState, Listener
from safelight.engine.residency import RESERVE_BYTES
from safelight.engine.worker import Worker
from tests.engine.jobs_at_hand import request_for
from tests.fakes.told import GIB, Clock, ToldDevice, ToldEntry, ToldRegistry
from tests.fakes.waiting import until

SPARE = RESERVE_BYTES / GIB
PIXELS = np.zeros((64, 200, 3), np.uint8)
TILES = 4


class Gate:
    """A network that computes a tile for each `open()`."""

    def __init__(self):
        self._passes = threading.Semaphore(0)
        self.reached = 0

    def __call__(self, tiles, precision):
        self.reached += 1
        assert self._passes.acquire(timeout=20)
        return tiles

    def open(self, tiles=1):
        for _ in range(tiles):
            self._passes.release()


class Ear(Listener):
    """Hears how a job ends."""

    def __init__(self):
        self.stages = []
        self.result = None
        self.error = None

    def progressed(self, progress):
        self.stages.append(progress.stage)

    def computed(self, restoration):
        self.result = restoration

    def failed(self, error):
        self.error = error

    @property
    def done(self):
        return self.result is not None or self.error is not None


@dataclass
class Workshop:
    """A worker and what belongs to it."""

    worker: Worker
    device: ToldDevice
    registry: ToldRegistry
    clock: Clock
    faults: list = field(default_factory=list)

    def submit(self, pipeline, *, batch=False, **changes):
        request = request_for(PIXELS, self.registry.entry(pipeline).spec)
        job_class = JobClass.BATCH if batch else JobClass.INTERACTIVE
        job = Job(request, Ear(), pipeline, job_class=job_class, **changes)
        self.worker.queue.submit(job)
        return job

    def done(self, job):
        until(lambda: job.listener.done)
        return job.listener

    @property
    def resident(self):
        return {facts.name for facts in self.worker.state.residents}

    def later(self, seconds):
        self.clock.now_s += seconds
        self.worker.queue.wake()


def same(tiles, precision):
    return tiles


@contextmanager
def workshop(total_gib, *entries, **changes):
    device, clock, faults = ToldDevice(total_gib), Clock(), []
    registry = ToldRegistry(device, *entries)
    worker = Worker(registry, JobQueue(), lambda: device, clock=clock, on_fault=faults.append, **changes)
    worker.start()
    try:
        yield Workshop(worker, device, registry, clock, faults)
    finally:
        worker.stop()
        worker.join(20)
        assert not worker.is_alive()


def test_a_job_is_computed_and_its_pipeline_stays():
    with workshop(8, ToldEntry("a", 2, same)) as shop:
        ear = shop.done(job := shop.submit("a"))
        assert ear.stages[0] == "load"
        assert ear.result.report["checkpoints"] == {"fake.safetensors": "0" * 64}
        shop.worker.queue.leave(job, JobState.SUCCEEDED)
        shop.done(shop.submit("a"))
        assert shop.registry.loads == ["a"]


def test_what_fits_beside_others_evicts_nobody():
    with workshop(4 + SPARE, ToldEntry("a", 2, same), ToldEntry("b", 2, same)) as shop:
        for name in "ab":
            shop.done(shop.submit(name))
        until(lambda: shop.resident == {"a", "b"})


def test_the_least_recently_used_goes_and_its_memory_is_really_free():
    entries = [ToldEntry(name, 2, same) for name in "abc"]
    with workshop(4 + SPARE, *entries) as shop:
        for name in "aba":
            shop.clock.now_s += 1
            shop.done(shop.submit(name))
        shop.done(shop.submit("c"))
        until(lambda: shop.resident == {"a", "c"})
        assert shop.device.free_bytes() == RESERVE_BYTES


def test_a_job_waits_for_a_pipeline_in_use_and_then_evicts_it():
    gate = Gate()
    with workshop(4, ToldEntry("a", 3, gate), ToldEntry("b", 3, same)) as shop:
        first = shop.submit("a")
        until(lambda: gate.reached)
        second = shop.submit("b")
        gate.open()
        until(lambda: gate.reached == 2)  # the worker has had the choice, and went on with the first
        assert second.state is JobState.QUEUED
        gate.open(TILES)
        assert shop.done(first).result is not None
        assert shop.done(second).result is not None
        until(lambda: shop.resident == {"b"})


def test_a_waiting_job_can_be_cancelled():
    gate = Gate()
    with workshop(4, ToldEntry("a", 3, gate), ToldEntry("b", 3, same)) as shop:
        first, second = shop.submit("a"), shop.submit("b")
        until(lambda: gate.reached)
        shop.worker.queue.cancel(second.id)
        gate.open()
        assert shop.done(second).error.reason == "CANCELLED"
        gate.open(TILES)
        assert shop.done(first).result is not None


class TakesRoom:
    """A network that has no room while `free_gib` are not free on the device."""

    def __init__(self, free_gib):
        self.device, self._free = None, free_gib * GIB

    def __call__(self, tiles, precision):
        if self.device.free_bytes() < self._free:
            raise torch.OutOfMemoryError("the told device is full")
        return tiles


def test_a_tile_without_room_gets_that_of_idle_pipelines():
    hungry = TakesRoom(3)
    with workshop(4 + SPARE, ToldEntry("idle", 2, same), ToldEntry("hungry", 1, hungry)) as shop:
        hungry.device = shop.device
        shop.done(shop.submit("idle"))
        result = shop.done(shop.submit("hungry")).result
        assert [event["to"] for event in result.report["ladder"]] == ["evicting what is idle"]
        assert shop.resident == {"hungry"}


def test_what_can_never_fit_is_refused_and_nobody_is_evicted_for_it():
    with workshop(4, ToldEntry("a", 2, same), ToldEntry("huge", 9, same)) as shop:
        shop.done(shop.submit("a"))
        error = shop.done(shop.submit("huge")).error
        assert (type(error), error.reason) == (errors.TooMuch, "DEVICE_MEMORY")
        assert "9.7 GB" in error.message
        assert shop.resident == {"a"}


def test_what_can_do_with_less_is_loaded_where_all_of_it_does_not_fit():
    modest = ToldEntry("modest", 9, same, really_gib=2)
    modest.spec = replace(modest.spec, memory=replace(modest.spec.memory, least_weights_bytes=2 * GIB))
    with workshop(4, modest) as shop:
        assert shop.done(shop.submit("modest")).result is not None
        assert shop.resident == {"modest"}


def test_what_fits_only_without_the_tiles_of_a_running_job_waits_for_it():
    gate = Gate()
    with workshop(4, ToldEntry("a", 1, gate), ToldEntry("b", 3, same)) as shop:
        first = shop.submit("a")
        until(lambda: gate.reached)
        shop.device.others_bytes = 2 * GIB  # as tiles that are running
        second = shop.submit("b")
        gate.open()
        until(lambda: gate.reached == 2)
        assert second.state is JobState.QUEUED
        shop.device.others_bytes = 0
        gate.open(TILES)
        assert shop.done(first).result is not None
        assert shop.done(second).result is not None


def test_a_pipeline_larger_than_it_said_makes_room_when_it_does_not_load():
    with workshop(4, ToldEntry("a", 1, same), ToldEntry("b", 1, same, really_gib=3.5)) as shop:
        shop.done(shop.submit("a"))
        assert shop.done(shop.submit("b")).result is not None
        until(lambda: shop.resident == {"b"})


def test_a_pipeline_that_does_not_load_at_all_is_refused():
    with workshop(4, ToldEntry("b", 1, same, really_gib=5)) as shop:
        error = shop.done(shop.submit("b")).error
        assert (type(error), error.reason) == (errors.TooMuch, "OUT_OF_MEMORY")


def test_keep_alive_counts_from_the_last_job_by_the_injected_clock(monkeypatch):
    with workshop(4, ToldEntry("a", 1, same), keep_alive_s=600) as shop:
        shop.done(shop.submit("a"))
        shop.later(599)
        shop.done(shop.submit("a"))
        day_later = time.time() + 86400
        monkeypatch.setattr(time, "time", lambda: day_later)  # the wall clock means nothing
        shop.later(599)
        assert shop.worker.unload("").result(20) == GIB  # it was still there
        shop.done(shop.submit("a"))
        shop.later(601)
        until(lambda: not shop.resident and not shop.device.taken)


KEEP_ALIVES = {
    "0 unloads at once": (0.0, 0.0, set()),
    "negative is for ever": (-1.0, 1e9, {"a"}),
    "a long one outlives the default": (5000.0, 4999.0, {"a"}),
    "and ends": (5000.0, 5001.0, set()),
}


@pytest.mark.parametrize(("keep_alive", "later", "expected"), KEEP_ALIVES.values(), ids=KEEP_ALIVES)
def test_keep_alive_of_a_request(keep_alive, later, expected):
    with workshop(4, ToldEntry("a", 1, same), ToldEntry("b", 1, same), keep_alive_s=-1) as shop:
        shop.done(shop.submit("a", keep_alive_s=keep_alive))
        shop.later(later)
        shop.done(shop.submit("b"))  # by then the worker has looked at the clock
        until(lambda: shop.resident == {*expected, "b"})


def test_preload_and_unload():
    with workshop(4, ToldEntry("a", 1, same)) as shop:
        facts = shop.worker.load("a", 30.0).result(20)
        assert (facts.name, facts.weights_bytes, facts.expires_s) == ("a", GIB, shop.clock.now_s + 30)
        assert shop.resident == {"a"}
        assert shop.worker.unload("a").result(20) == GIB
        assert shop.resident == set()
        assert shop.device.taken == {}
        assert shop.worker.unload("a").result(20) == 0


def test_unloading_an_unknown_pipeline_is_an_error():
    with workshop(4, ToldEntry("a", 1, same)) as shop, pytest.raises(errors.NotFound):
        shop.worker.unload("b").result(20)


def test_a_pipeline_in_use_is_unloaded_after_its_job():
    gate = Gate()
    with workshop(4, ToldEntry("a", 1, gate), keep_alive_s=-1) as shop:
        job = shop.submit("a")
        until(lambda: gate.reached)
        unloading = shop.worker.unload("a")
        gate.open()
        assert unloading.result(20) == 0
        assert shop.resident == {"a"}
        gate.open(TILES)
        assert shop.done(job).result is not None
        until(lambda: not shop.resident)


def test_preloading_never_disturbs_a_running_job():
    gate = Gate()
    with workshop(4, ToldEntry("a", 3, gate), ToldEntry("b", 3, same)) as shop:
        job = shop.submit("a")
        until(lambda: gate.reached)
        loading = shop.worker.load("b", None)
        gate.open(TILES + 1)
        with pytest.raises(errors.TooMuch) as raised:
            loading.result(20)
        assert raised.value.reason == "DEVICE_BUSY"
        assert shop.done(job).result is not None


def test_an_interactive_job_overtakes_a_batch_job_after_its_tile():
    gate = Gate()
    with workshop(4, ToldEntry("slow", 1, gate), ToldEntry("quick", 1, same)) as shop:
        batch = shop.submit("slow", batch=True)
        until(lambda: gate.reached)
        interactive = shop.submit("quick")
        gate.open()
        assert shop.done(interactive).result is not None
        assert not batch.listener.done
        gate.open(TILES)
        assert shop.done(batch).result is not None


def test_cancel_takes_effect_within_one_tile_and_frees_everything():
    gate = Gate()
    with workshop(4, ToldEntry("a", 1, gate), keep_alive_s=0.0) as shop:
        job = shop.submit("a")
        until(lambda: gate.reached)
        shop.worker.queue.cancel(job.id)
        gate.open()
        assert shop.done(job).error.reason == "CANCELLED"
        assert gate.reached == 1
        assert (job.state, job.request) == (JobState.CANCELLED, None)
        until(lambda: not shop.device.taken)


def test_stopping_tells_whoever_is_left():
    gate = Gate()
    with workshop(4, ToldEntry("a", 1, gate)) as shop:
        running, queued = shop.submit("a"), shop.submit("a")
        until(lambda: gate.reached)
        shop.worker.stop()
        gate.open()
        for job in (running, queued):
            assert (shop.done(job).error.reason, job.state) == ("STOPPING", JobState.FAILED)
        shop.worker.join(20)
        with pytest.raises(errors.Unavailable):
            shop.worker.load("a", None).result(20)
        with pytest.raises(errors.Unavailable):
            shop.submit("a")
        assert shop.faults == []


def broken(tiles, precision):
    raise torch.AcceleratorError("an illegal memory access was encountered")


def test_a_device_fault_fails_every_job_and_is_reported():
    with workshop(4, ToldEntry("a", 1, broken), ToldEntry("b", 1, same)) as shop:
        shop.worker.load("b", None).result(20)
        jobs = [shop.submit("a"), shop.submit("a")]
        for job in jobs:
            error = shop.done(job).error
            assert type(error) is errors.Unavailable
        assert jobs[0].listener.error.reason == "DEVICE_FAULT"
        until(lambda: shop.faults)
        assert shop.faults[0].reason == "DEVICE_FAULT"


def wrong(tiles, precision):
    raise KeyError("a bug of ours")


def test_a_bug_ends_its_job_and_nothing_else():
    with workshop(4, ToldEntry("a", 1, wrong), ToldEntry("b", 1, same)) as shop:
        assert type(shop.done(shop.submit("a")).error) is errors.InternalError
        assert shop.done(shop.submit("b")).result is not None
        assert shop.faults == []


def test_a_device_that_is_not_there_is_told_to_waiting_jobs():
    faults = []

    def no_device():
        raise errors.Unavailable("there is no such device: use another", "DEVICE_UNAVAILABLE")

    device = ToldDevice(1)
    registry = ToldRegistry(device, ToldEntry("a", 1, same))
    worker = Worker(registry, JobQueue(), no_device, on_fault=faults.append)
    job = Job(request_for(PIXELS, registry.entry("a").spec), Ear(), "a")
    worker.queue.submit(job)
    worker.start()
    worker.join(20)
    assert job.listener.error.reason == "DEVICE_UNAVAILABLE"
    assert [fault.reason for fault in faults] == ["DEVICE_UNAVAILABLE"]
