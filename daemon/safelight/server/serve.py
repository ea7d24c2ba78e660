"""Starts, runs and ends a daemon: lock, token, socket, health, signals, idle time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import psutil
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import safelight
from safelight import runtime, wire
from safelight.engine import kept_key
from safelight.engine.jobs import JobQueue
from safelight.engine.kept_store import KEPT_BYTES_MOST, KeptStore
from safelight.engine.pipelines.registry import Registry
from safelight.engine.residency import checked_keep_alive
from safelight.engine.worker import Worker
from safelight.errors import InvalidRequest, SafelightError
from safelight.server import door, listen
from safelight.server.assessment import AssessmentServicer
from safelight.server.checkpoints import CheckpointsServicer
from safelight.server.daemon import DaemonServicer
from safelight.server.description import DescriptionServicer
from safelight.server.restoration import RestorationServicer
from safelight.settings import KEEP_ALIVE_S
from safelight.v1 import (
    assessment_pb2,
    assessment_pb2_grpc,
    checkpoints_pb2,
    checkpoints_pb2_grpc,
    daemon_pb2,
    daemon_pb2_grpc,
    description_pb2,
    description_pb2_grpc,
    restoration_pb2,
    restoration_pb2_grpc,
)

if TYPE_CHECKING:
    from safelight.engine.device import Device

log = logging.getLogger(__name__)

FINISH_THREADS = 4  # header checks and finished rows; a slow reader holds none
DRAIN_S = 10.0  # what running jobs get after SIGTERM
LAST_TURN_S = 30.0  # the worker ends after the tile batch it is in
LAST_WORDS_S = 1.0  # what streams get to take the status that tells them so
DRAIN_LOOK_S = 0.02
IDLE_LOOK_S = 1.0
LOG_BYTES, LOG_FILES = 1 << 20, 3
LOGGED = ("safelight", "grpc", "asyncio")  # else grpc's words go to stderr, a file that nobody rotates
SERVICES = (
    restoration_pb2.DESCRIPTOR.services_by_name["Restoration"].full_name,
    daemon_pb2.DESCRIPTOR.services_by_name["Daemon"].full_name,
    checkpoints_pb2.DESCRIPTOR.services_by_name["Checkpoints"].full_name,
    assessment_pb2.DESCRIPTOR.services_by_name["Assessment"].full_name,
    description_pb2.DESCRIPTOR.services_by_name["Description"].full_name,
)


@dataclass(frozen=True)
class ServeConfig:
    """How to serve. `host` empty: a Unix socket where the system has them, else loopback."""

    folder: Path
    log_path: Path
    host: str = ""
    port: int = 0
    """0: one the system chooses."""
    tls: listen.Tls | None = None
    device: str = "auto"
    keep_alive_s: float = KEEP_ALIVE_S
    idle_exit_s: float | None = None
    """An auto-started daemon ends after so long without a call or job."""
    kept_folder: Path | None = None
    """Where results are kept for blending them anew; None: nowhere."""
    kept_bytes_most: int = KEPT_BYTES_MOST
    reflection: bool = False
    log_to_stderr: bool = False


def serve(config: ServeConfig, registry: Registry, *, default_pipeline: str = "compact") -> int:
    """Runs until stopped; returns the exit code 0. Raises SafelightError when it cannot start, or when the
    device fails while it runs."""
    _check(config)
    runtime.prepare_runtime_dir(config.folder)
    with runtime.daemon_lock(config.folder), _logging(config), _own_files(config.folder):
        fault = asyncio.run(_serve(config, registry, default_pipeline))
    if fault is not None:
        raise fault
    return 0


def _check(config: ServeConfig) -> None:
    checked_keep_alive(config.keep_alive_s)
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", config.device):
        raise InvalidRequest(
            f"there is no kind of device {config.device!r}: give auto, cpu, cuda or cuda:N", "DEVICE_NAME"
        )
    if config.idle_exit_s is not None and not config.idle_exit_s >= 0:
        raise InvalidRequest(
            f"an idle time of {config.idle_exit_s:g} s is out of range: give 0 or more seconds", "IDLE_EXIT"
        )


@contextlib.contextmanager
def _own_files(folder: Path) -> Iterator[None]:
    """What a killed daemon left behind goes before we begin, and ours when we end."""
    names = ["daemon.json", "token", "daemon.sock"]
    try:
        for name in names:
            (folder / name).unlink(missing_ok=True)
        yield
    finally:
        for name in names:
            (folder / name).unlink(missing_ok=True)


async def _serve(config: ServeConfig, registry: Registry, default_pipeline: str) -> SafelightError | None:
    """Serves until something ends it; gives the error that did, or None."""
    queue = JobQueue()
    ending = _Ending(asyncio.get_running_loop(), queue, config.folder)
    kept = _kept(config)
    worker = Worker(
        registry,
        queue,
        _device_opener(config.device),
        keep_alive_s=config.keep_alive_s,
        kept=kept,
        on_fault=lambda error: ending.ask(0.0, fault=error),
    )
    executor = ThreadPoolExecutor(FINISH_THREADS, thread_name_prefix="safelight-finish")
    activity = _Activity()
    token = runtime.new_token(config.folder)
    server = grpc.aio.server(
        interceptors=[door.TokenInterceptor(token), activity], options=door.SERVER_OPTIONS
    )
    restoration = RestorationServicer(registry, queue, executor, _free_host_bytes)
    restoration_pb2_grpc.add_RestorationServicer_to_server(restoration, server)
    daemon = DaemonServicer(
        worker, default_pipeline=default_pipeline, log_path=config.log_path, stop=ending.ask
    )
    daemon_pb2_grpc.add_DaemonServicer_to_server(daemon, server)
    assessment = AssessmentServicer(queue, _free_host_bytes)
    assessment_pb2_grpc.add_AssessmentServicer_to_server(assessment, server)
    description = DescriptionServicer(worker, queue, _free_host_bytes)
    description_pb2_grpc.add_DescriptionServicer_to_server(description, server)
    checkpoints = CheckpointsServicer(worker, alive=activity.touch)
    checkpoints_pb2_grpc.add_CheckpointsServicer_to_server(checkpoints, server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if config.reflection:
        _add_reflection(server)
    target = listen.bind(server, config.folder, host=config.host, port=config.port, tls=config.tls)
    with _signals(ending):
        await server.start()
        worker.start()
        for name in ("", *SERVICES):
            await health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        if not queue.closed:
            runtime.write_info(config.folder, _info(config, target))
        log.info("safelight %s serves, process %d", safelight.__version__, os.getpid())
        await _until_end(ending, activity, worker, restoration, config.idle_exit_s)
    await health_servicer.enter_graceful_shutdown()
    await _drain(worker, restoration, ending.grace_s)
    await server.stop(LAST_WORDS_S)
    executor.shutdown(wait=False, cancel_futures=True)
    if kept is not None:
        await asyncio.to_thread(kept.close)
    log.info("ended")
    return ending.fault


def _kept(config: ServeConfig) -> KeptStore | None:
    if config.kept_folder is None:
        return None
    kept_key.build()  # of the code as it is now
    return KeptStore(config.kept_folder, limit_bytes=config.kept_bytes_most)


def _device_opener(name: str) -> Callable[[], Device]:
    def open_device() -> Device:
        from safelight.engine.device import choose_device  # imports torch, on the worker's thread

        return choose_device(name)

    return open_device


class _Ending:
    """That the daemon is to end, asked for by a signal, a call, idle time or a device fault.

    From that instant on no job is taken and no client finds this daemon any more: they wait for the next one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, queue: JobQueue, folder: Path) -> None:
        self._loop, self._queue, self._folder = loop, queue, folder
        self.asked = asyncio.Event()
        self.grace_s = DRAIN_S
        self.fault: SafelightError | None = None

    def ask(self, grace_s: float = DRAIN_S, *, fault: SafelightError | None = None) -> None:
        """From any thread."""
        self.grace_s, self.fault = grace_s, fault or self.fault
        self._queue.close()
        runtime.forget_info(self._folder)
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self._loop.call_soon_threadsafe(self.asked.set)


class _Activity(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """When the last call came in, for the idle exit."""

    def __init__(self) -> None:
        self.last_s = time.monotonic()

    def touch(self) -> None:
        self.last_s = time.monotonic()

    async def intercept_service(
        self, continuation: Callable[..., object], handler_call_details: object
    ) -> object:
        self.last_s = time.monotonic()
        return await continuation(handler_call_details)  # type: ignore[misc]


async def _until_end(
    ending: _Ending,
    activity: _Activity,
    worker: Worker,
    restoration: RestorationServicer,
    idle_exit_s: float | None,
) -> None:
    while not ending.asked.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.asked.wait(), IDLE_LOOK_S)
        if restoration.streams or worker.queue.active:
            activity.last_s = time.monotonic()
        if idle_exit_s is not None and time.monotonic() - activity.last_s > idle_exit_s:
            log.info("idle for %.0f s", idle_exit_s)
            ending.ask(0.0)


async def _drain(worker: Worker, restoration: RestorationServicer, grace_s: float) -> None:
    """Running and waiting jobs get the grace time; then the worker ends after its turn, which tells those
    that are left. Other calls are answered meanwhile."""
    await _streams_gone(restoration, grace_s)
    worker.stop()
    await asyncio.to_thread(worker.join, LAST_TURN_S)
    await _streams_gone(restoration, LAST_WORDS_S)


async def _streams_gone(restoration: RestorationServicer, deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while restoration.streams and time.monotonic() < deadline:
        await asyncio.sleep(DRAIN_LOOK_S)


def _add_reflection(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection  # a development package: wanted only behind the flag

    reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


def _info(config: ServeConfig, target: str) -> runtime.DaemonInfo:
    return runtime.DaemonInfo(
        target=target,
        process_id=os.getpid(),
        version=safelight.__version__,
        install_path=str(Path(safelight.__file__).parent),
        protocol_version=wire.PROTOCOL_VERSION,
        log_path=str(config.log_path),
    )


@contextlib.contextmanager
def _signals(ending: _Ending) -> Iterator[None]:
    """SIGTERM and SIGINT drain. Only the main thread may set handlers; tests serve from others."""
    loop = asyncio.get_running_loop()
    chosen = [signal.SIGTERM, signal.SIGINT]
    try:
        for number in chosen:
            loop.add_signal_handler(number, ending.ask)
    except (NotImplementedError, RuntimeError, ValueError):
        chosen = []
    try:
        yield
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)


def _free_host_bytes() -> int:
    return int(psutil.virtual_memory().available)


@contextlib.contextmanager
def _logging(config: ServeConfig) -> Iterator[None]:
    """Log file with rotation, also stderr when asked for, while the daemon runs."""
    config.log_path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(
            config.log_path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )
    ]
    if config.log_to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    loggers = [logging.getLogger(name) for name in LOGGED]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        for logger in loggers:
            logger.addHandler(handler)
    logging.getLogger("safelight").setLevel(logging.INFO)
    try:
        yield
    finally:
        for handler in handlers:
            for logger in loggers:
                logger.removeHandler(handler)
            handler.close()
