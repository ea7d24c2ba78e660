"""Many jobs, one after the other: nothing piles up; and health answers while one runs."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from safelight import errors
from tests.fakes.daemon import daemon_process, short_folder
from tests.fakes.waiting import until
from tests.server.works import document, settings, whole

GROWTH = 0.02
HEALTH_CALLS, HEALTH_P99_S = 300, 0.1


class Soak:
    """Sequential jobs of changing sizes, each tenth cancelled in the middle."""

    def __init__(self, daemon, pipelines):
        self._daemon, self._pipelines = daemon, pipelines
        self._dice = random.Random(7)
        self.cancelled = 0

    def jobs(self, count):
        for number in range(count):
            side = self._dice.choice([64, 96, 128, 192])
            pixels = document(side + number % 16, side, seed=number)
            chosen = settings(self._dice.choice(self._pipelines), output_scale=self._dice.choice([1, 2]))
            if number % 10 == 9:
                self._cancelled(whole(pixels), chosen)
            else:
                result = self._daemon.client.restore(whole(pixels), chosen)
                assert result.pixels.shape[0] == side * chosen.output_scale

    def _cancelled(self, work, chosen):
        """By its id before its first tile, or by its client in its middle."""
        event = threading.Event()
        by_id = {"on_accepted": self._daemon.client.cancel}
        by_client = {"on_progress": lambda progress: event.set(), "cancelling": event}
        try:
            self._daemon.client.restore(work, chosen, **self._dice.choice([by_id, by_client]))
        except errors.Cancelled:
            self.cancelled += 1

    def measured(self):
        """Memory, descriptors and threads once all is quiet."""
        until(lambda: not self._daemon.client.state().running_job_count)
        return self._daemon.memory_bytes, self._daemon.descriptors, self._daemon.threads


def check(daemon, pipelines, *, warm, soaked):
    soak = Soak(daemon, pipelines)
    soak.jobs(warm)
    memory, descriptors, threads = soak.measured()
    soak.jobs(soaked)
    until(lambda: soak.measured()[1:] == (descriptors, threads))  # the last connections close by and by
    after = daemon.memory_bytes
    assert after < memory * (1 + GROWTH), f"{memory / 1e6:.1f} MB became {after / 1e6:.1f} MB"
    assert soak.cancelled > 0


def test_jobs_leave_nothing_behind(daemon):
    check(daemon, ["identity", "brighten"], warm=50, soaked=70)


@pytest.mark.slow
def test_300_jobs_of_the_real_network_leave_nothing_behind():
    with short_folder() as folder, daemon_process(folder) as daemon:
        check(daemon, ["compact"], warm=100, soaked=200)


def test_health_answers_while_a_job_computes(daemon):
    """The network's threads and the event loop share the cores: an answer may come late, not very late."""
    health = health_pb2_grpc.HealthStub(daemon.client._channel)
    daemon.client.restore(whole(document(64, 64)), settings("compact", output_scale=2))  # loads it
    with ThreadPoolExecutor(1) as pool:
        running, cancelling = threading.Event(), threading.Event()
        job = pool.submit(
            daemon.client.restore,
            whole(document(3000, 3000)),
            settings("compact", output_scale=2),
            on_progress=lambda p: p.tile_count_done and running.set(),
            cancelling=cancelling,
        )
        assert running.wait(30)
        waits = [answer_time(health) for _ in range(HEALTH_CALLS)]
        assert not job.done()
        cancelling.set()
        assert type(job.exception(30)) is errors.Cancelled
    assert np.quantile(waits, 0.99) < HEALTH_P99_S


def answer_time(health):
    started = time.perf_counter()
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    return time.perf_counter() - started
