"""How daemons come and go: started by clients, replaced, idle, stopped, drained, killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from safelight import errors, runtime, wire
from safelight.client import connection
from safelight.client.restoration import RestorationClient
from safelight.client.status import our_errors
from safelight.server import serve
from safelight.v1 import daemon_pb2, daemon_pb2_grpc
from tests.fakes.daemon import daemon_process, ended, launched, serving
from tests.fakes.waiting import seconds_until, until
from tests.server.works import document, settings, whole

GONE_S = 1.0  # a client must know of a killed daemon within this


@pytest.fixture
def cleaned(folder):
    """A folder whose daemon is killed afterwards."""
    yield folder
    ended(folder)


def connected(folder):
    """A client, which starts the real daemon where there is none: it is quicker than the one of fakes."""
    return RestorationClient(connection.connect(folder))


@pytest.fixture
def running_job():
    """Starts slow jobs and waits until they run."""

    def start(client, **changes):
        pool = ThreadPoolExecutor(1)
        pixels, running = document(56 * changes.pop("tiles", 30) + 8, 64), threading.Event()
        chosen = settings("tortoise", own={"pause": changes.pop("pause", 0.02)})
        job = pool.submit(
            client.restore, whole(pixels), chosen, on_progress=lambda p: p.tile_count_done and running.set()
        )
        pool.shutdown(wait=False)
        assert running.wait(20)
        return pixels, job

    return start


# -- starting --------------------------------------------------------------------------------------


def test_a_client_starts_the_daemon_and_the_next_one_finds_it(cleaned):
    starts = []
    for _ in range(2):
        channel = connection.connect(cleaned, on_start=lambda: starts.append(1))
        with RestorationClient(channel) as client:
            assert client.state().process_id == runtime.lock_holder(cleaned)
    assert starts == [1]


def test_the_real_daemon_starts_restores_and_stops(cleaned):
    with connected(cleaned) as client:
        assert client.default_pipeline() == "compact"
        restored = client.restore(whole(document(64, 64)), settings("compact", output_scale=2))
        assert restored.pixels.shape == (128, 128, 3)
        client.stop(10)
    until(lambda: not runtime.daemon_alive(cleaned))


def test_without_a_daemon_and_without_start_it_says_so(folder):
    with pytest.raises(errors.Unavailable) as raised:
        connection.connect(folder, start=False)
    assert raised.value.reason == "NOT_RUNNING"


def test_a_daemon_that_fails_to_start_gives_its_words(folder):
    command = [sys.executable, "-c", "import sys; sys.exit('the moon is in the wrong place')"]
    with pytest.raises(errors.Unavailable) as raised:
        connection.connect(folder, command=command)
    assert raised.value.reason == "START_FAILED"
    assert "exit code 1" in raised.value.message
    assert "the moon is in the wrong place" in raised.value.message


def test_a_daemon_that_does_not_come_up_in_time_is_ended(folder):
    script = "import os, threading; print(os.getpid(), 'hesitates', flush=True); threading.Event().wait()"
    with pytest.raises(errors.Unavailable) as raised:
        connection.start_daemon(folder, [sys.executable, "-c", script], deadline_s=1.0)
    assert raised.value.reason == "START_TIMEOUT"
    words = raised.value.message.split(": ")[1].split()
    assert words[1] == "hesitates"
    until(lambda: not psutil.pid_exists(int(words[0])))


def test_clients_that_start_at_once_end_with_one_daemon(cleaned):
    def process_id(_):
        with connected(cleaned) as client:
            return client.state().process_id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(process_id, range(2)))) == 1


def test_the_daemon_answers_without_torch():
    """The socket is there before torch is: only the worker's thread imports it."""
    script = "import sys; sys.modules['torch'] = None; import safelight.server.serve, safelight.cli.serve"
    subprocess.run([sys.executable, "-c", script], check=True)


# -- builds and protocols --------------------------------------------------------------------------

OTHERS = {
    "version": {"version": "0.0.1"},
    "place": {"install_path": "/somewhere/else"},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_an_idle_daemon_of_another_build_is_replaced(cleaned, change):
    with serving(cleaned):
        runtime.write_info(cleaned, replace(runtime.read_info(cleaned), **change))
        with connected(cleaned) as client:
            assert client.state().process_id != os.getpid()


def test_a_busy_daemon_of_another_build_is_used(folder, running_job):
    with serving(folder) as client:
        _, job = running_job(client)
        runtime.write_info(folder, replace(runtime.read_info(folder), version="0.0.1"))
        with connected(folder) as other:
            assert other.state().process_id == os.getpid()
        assert job.result(20)


def test_what_a_newer_build_adds_to_its_file_is_passed_over(folder):
    with serving(folder):
        text = (folder / "daemon.json").read_text()
        (folder / "daemon.json").write_text(text.replace("{", '{"colour": "red",', 1))
        assert runtime.read_info(folder).process_id == os.getpid()


SPOKEN = {"older": (wire.PROTOCOL_VERSION - 1, "client"), "newer": (wire.PROTOCOL_VERSION + 1, "daemon")}


@pytest.mark.parametrize(("version", "upgrade"), SPOKEN.values(), ids=SPOKEN)
def test_another_protocol_is_refused_with_the_side_to_upgrade(client, version, upgrade):
    stub = daemon_pb2_grpc.DaemonStub(client._channel)
    with pytest.raises(errors.NotReady) as raised, our_errors():
        stub.Handshake(daemon_pb2.HandshakeRequest(protocol_version=version), timeout=10)
    assert raised.value.reason == "PROTOCOL_MISMATCH"
    assert raised.value.message.endswith(f"upgrade the {upgrade}")


# -- ending ----------------------------------------------------------------------------------------


def test_an_idle_daemon_ends_but_not_while_a_job_runs(folder, running_job, monkeypatch):
    monkeypatch.setattr(serve, "IDLE_LOOK_S", 0.02)
    with serving(folder, idle_exit_s=0.2) as client:
        _, job = running_job(client, tiles=30)
        assert job.result(20)  # it took 0.6 s
        until(lambda: not runtime.daemon_alive(folder))


def test_sigterm_tells_health_at_once_drains_and_exits_0(folder, running_job):
    with daemon_process(folder) as daemon:
        health = health_pb2_grpc.HealthStub(daemon.client._channel)

        def status():
            return health.Check(health_pb2.HealthCheckRequest(), timeout=10).status

        assert status() == health_pb2.HealthCheckResponse.SERVING
        pixels, job = running_job(daemon.client, tiles=30)
        daemon.process.send_signal(signal.SIGTERM)
        assert seconds_until(lambda: status() == health_pb2.HealthCheckResponse.NOT_SERVING) < 1
        with pytest.raises(errors.Unavailable) as raised:
            daemon.client.restore(whole(document()), settings())
        assert raised.value.reason == "STOPPING"
        assert not job.done()
        assert np.array_equal(job.result(20).pixels, pixels)
        assert daemon.process.wait(20) == 0
        left = {path.name for path in folder.iterdir()}
    assert left == {"daemon.lock", "daemon.log", "daemon.out"}


def test_stop_without_grace_ends_the_job_with_a_word(folder, running_job):
    with serving(folder) as client:
        _, job = running_job(client, tiles=400)
        assert client.stop(0.0) == 1
        with pytest.raises(errors.Unavailable) as raised:
            job.result(20)
        assert raised.value.reason == "STOPPING"
        until(lambda: not runtime.daemon_alive(folder))


def test_a_client_that_comes_while_a_daemon_ends_gets_a_new_one(cleaned, running_job):
    with serving(cleaned) as client:
        _, job = running_job(client, tiles=20)
        client.stop(20.0)
        with connected(cleaned) as client:  # waits for the drain
            assert job.result(0.5)
            assert client.state().process_id != os.getpid()


@pytest.mark.parametrize("grace", [-1.0, float("nan"), 1e9])
def test_a_grace_that_is_no_time_is_refused(client, grace):
    with pytest.raises(errors.InvalidRequest) as raised:
        client.stop(grace)
    assert raised.value.reason == "GRACE"
    assert client.pipelines()


def test_a_killed_daemon_is_noticed_and_the_next_command_works(cleaned, running_job):
    with daemon_process(cleaned) as daemon:
        _, job = running_job(daemon.client, tiles=400)
        daemon.process.kill()
        killed = time.monotonic()
        with pytest.raises(errors.Unavailable) as raised:
            job.result(20)
        assert time.monotonic() - killed < GONE_S
        assert raised.value.reason == "DAEMON_GONE"
        assert (cleaned / "daemon.sock").exists()  # what it left hinders nobody
        assert runtime.read_info(cleaned).process_id == daemon.process.pid
        pixels = document()
        with connected(cleaned) as client:
            restored = client.restore(whole(pixels), settings("compact", strength=0.0))
            assert np.array_equal(restored.pixels, pixels)


def test_a_device_fault_ends_the_process_and_the_next_command_works(cleaned):
    with daemon_process(cleaned) as daemon:
        with pytest.raises(errors.Unavailable) as raised:
            daemon.client.restore(whole(document()), settings("faulty"))
        assert raised.value.reason == "DEVICE_FAULT"
        assert daemon.process.wait(20) != 0
        with connected(cleaned) as client:
            assert client.pipelines()


def test_a_frozen_daemon_is_told_from_one_that_is_not_there(cleaned, monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_WAIT_S", 0.5)
    monkeypatch.setattr(connection.handshake, "__defaults__", (0.5,))
    process = launched(cleaned, connection.auto_command())
    try:
        until(lambda: runtime.read_info(cleaned))
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(errors.Unavailable) as raised:
            connection.connect(cleaned)
        assert raised.value.reason == "NOT_ANSWERING"
        assert "stop --force" in raised.value.message
    finally:
        process.kill()
        process.wait()
