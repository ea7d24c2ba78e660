"""How fast the daemon answers health checks while a job computes.

Jobs come from a process of their own: `python -m tests.bench.health FOLDER SIDE` restores until it is ended.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc

from safelight import runtime
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from tests.bench.daemons import Serving, serving, settings, whole
from tests.bench.pictures import photo
from tests.bench.tables import Effort, Table, verdict

BAR_MS = 100.0
CALLS, TINY_CALLS = 600, 20
PAUSE_S = 0.005
SIDE, TINY_SIDE = 1024, 96


def run(effort: Effort) -> list[Table]:
    calls = TINY_CALLS if effort.tiny else CALLS
    table = Table("health: milliseconds per check", ("while", "calls", "p50", "p99", "largest", "jobs ran"))
    with serving() as daemon:
        daemon.client.load("compact")
        idle = _latencies(daemon.folder, calls)
        table.rows.append(_row("nothing runs", idle, 0))
        with _busy(daemon, TINY_SIDE if effort.tiny else SIDE):
            busy = _latencies(daemon.folder, calls)
            running = daemon.client.state().running_job_count
        table.rows.append(_row("a compact job runs", busy, running))
    p99 = float(np.percentile(busy, 99))
    table.notes.append(f"bar: p99 below {BAR_MS:.0f} ms while a job runs: {verdict(p99, BAR_MS)}")
    return [table]


def _row(name: str, latencies_ms: list[float], jobs: int) -> list[str | int | float]:
    p50, p99 = (float(p) for p in np.percentile(latencies_ms, (50, 99)))
    return [name, len(latencies_ms), p50, p99, max(latencies_ms), jobs]


def _latencies(folder: Path, calls: int) -> list[float]:
    info = runtime.read_info(folder)
    assert info is not None
    with connection.open_channel(info.target, runtime.read_token(folder)) as channel:
        stub, request = health_pb2_grpc.HealthStub(channel), health_pb2.HealthCheckRequest()
        stub.Check(request, timeout=30)  # connects
        found = []
        for _ in range(calls):
            started = time.perf_counter()
            answer = stub.Check(request, timeout=30)
            found.append(1e3 * (time.perf_counter() - started))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            time.sleep(PAUSE_S)
    return found


@contextmanager
def _busy(daemon: Serving, side: int) -> Iterator[None]:
    """Jobs run one after the other for as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.health", str(daemon.folder), str(side)])
    try:
        while not daemon.client.state().running_job_count:
            assert process.poll() is None
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _restore_for_ever(folder: Path, side: int) -> None:
    with RestorationClient.local(folder, start=False) as client:
        while True:
            client.restore(whole(photo(side, side)), settings("compact", 2))


if __name__ == "__main__":
    _restore_for_ever(Path(sys.argv[1]), int(sys.argv[2]))
